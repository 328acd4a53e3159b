"""`recloop simulate`: made-up shoppers against the running service."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from recloop_pipelines.commands.options import Json
from recloop_pipelines.console import REPORT, emit, people, steps
from recloop_pipelines.places import configuration

ScenarioOption = Annotated[str, typer.Option("--scenario", help="The scenario that the service serves.")]


def simulate(
    users: Annotated[int, typer.Option(min=1, help="Shoppers.")] = 500,
    days: Annotated[int, typer.Option(min=1, help="Days.")] = 7,
    seed: Annotated[int, typer.Option(help="Other seeds are other people.")] = 1,
    k: Annotated[int, typer.Option(min=1, max=200, help="Items asked for.")] = 10,
    plant: Annotated[
        list[str] | None, typer.Option(help="EXPERIMENT:VARIANT:+5%: its users buy so much more of what is shown.")
    ] = None,
    bots: Annotated[float, typer.Option(min=0, max=1, help="Share of users that push one item.")] = 0.0,
    calibrate: Annotated[bool, typer.Option(help="Bring the repeat rate near that of the real events first.")] = True,
    scenario: ScenarioOption = "configs/retail.yaml",
    json: Json = False,
) -> None:
    """Let made-up shoppers with known tastes visit the running service, and show how like the real ones they are.

    Fame of items, visits, baskets and repeat rate are those of the scenario's last 28 days; tastes are planted.

    Example:

        recloop simulate --users 500 --days 7 --plant greedy:treatment:+20%
    """
    from recloop.simulator.shoppers import Traits
    from recloop_pipelines import simulate as module

    effects = module.planted(plant or [])
    with steps() as progress:
        with progress.step("shop and shoppers"):
            own = module.world(configuration(scenario), Traits(users=users, seed=seed, bots=bots), calibrate=calibrate)
        with progress.step("visits"):
            tell = REPORT.get()
            seen = module.simulate(own, days=days, k=k, plant=effects, progress=tell)
    told = {
        "visits": seen.visits,
        "failed_requests": seen.failed,
        "rejected_events": seen.rejected,
        "groups": seen.groups,
        "traits": asdict(own.people.traits),
        "likeness": module.likenesses(own),
    }
    emit(told) if json else _show(told)


def _show(told: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table("who", "visits", "clicks a visit", "hits a visit")
    for name, row in sorted(told["groups"].items()):
        rates = (f"{row[key] / row['visits']:.3f}" for key in ("clicks", "hits"))
        table.add_row(name, f"{row['visits']:,.0f}", *rates)
    people().print(table)
    like = Table("shoppers of themselves, 28 days", "real", "simulated")
    for name, pair in told["likeness"].items():
        like.add_row(name, f"{pair['real']:.3f}", f"{pair['simulated']:.3f}")
    people().print(like)
    people().print(f"{told['failed_requests']:,} requests failed, {told['rejected_events']:,} events were rejected.")


COMMANDS: tuple[Callable[..., None], ...] = (simulate,)
