"""Commands of exploring: judge a policy on what another one logged."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from recloop_pipelines.commands.options import Json
from recloop_pipelines.console import emit, people

app = typer.Typer(name="bandit", help="Exploring policies, judged on logged feedback.", no_args_is_help=True)
Log = Annotated[
    Path, typer.Argument(help="Parquet: receipt_id, item_id, score, rank, propensity, reward (and user_id).")
]
Policy = Annotated[str, typer.Option(help="top_k, epsilon_greedy=0.1, thompson=0.02, softmax=1.0 or uniform.")]


@app.callback()
def bandit() -> None:
    """Exploring policies, judged on logged feedback."""


@app.command()
def evaluate(
    log: Log,
    policy: Policy = "top_k",
    interval: Annotated[str, typer.Option(help="bootstrap, normal or bernstein.")] = "bootstrap",
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999)] = 0.95,
    seed: int = 0,
    anyway: Annotated[bool, typer.Option("--anyway", help="Show figures that the log does not carry.")] = False,
    json: Json = False,
) -> None:
    """What a policy would have earned a place shown, had it been in charge when LOG was written.

    The log has a row for every candidate of an answer; rank, propensity and reward are null for what was not shown. A
    propensity is the chance of the item at its rank, given the items above it. A policy that shows what the log never
    showed is refused.

    Example:

        recloop bandit evaluate answers.parquet --policy epsilon_greedy=0.05
    """
    import polars as pl

    from recloop.bandits.verdict import judge
    from recloop.errors import BadData

    if not log.is_file():
        raise BadData(f"There is no file {log}. A log is one Parquet file; its columns: recloop bandit evaluate --help")
    try:
        table = pl.read_parquet(log)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadData(
            f"{log} cannot be read as Parquet: {error}. Its columns: recloop bandit evaluate --help"
        ) from error
    found = judge(table, policy, kind=interval, confidence=confidence, seed=seed, anyway=anyway)
    if json:
        emit(asdict(found))
    else:
        _show(asdict(found), policy)


def _show(found: dict[str, Any], policy: str) -> None:
    from rich.table import Table

    table = Table("estimator", "reward a place", "standard error", "low", "high", title=f"{policy}, off-policy")
    for name, own in {"logged": found["logged"], **found["estimates"]}.items():
        table.add_row(name, *(f"{own[part]:.5f}" for part in ("value", "error", "low", "high")))
    people().print(table)
    people().print(
        f"{found['rows']:,} places in {found['answers']:,} answers; the weights are worth {found['effective_rows']:,.0f} places, "
        f"the largest is {found['largest_weight']:,.1f} and their mean {found['mean_weight']:.3f} (1 but for chance)."
    )
