"""Commands that take a scenario round the loop, whole or step by step."""

from collections.abc import Callable
from functools import partial, update_wrapper
from typing import Annotated, Any

import typer

from recloop.errors import BadConfig
from recloop_pipelines.commands.options import Json, Run, Scenario, run_name, share
from recloop_pipelines.console import emit, people, steps
from recloop_pipelines.places import KINDS, configuration, latest, place, required

RETAIL = "configs/retail.yaml"
REFUSED = 4
AT_ONCE = frozenset({"0", "0%"})
"""--canary for a release that everybody gets"""
Artifact = typer.Option(help="URI of the artefact; the default is the newest one of the scenario.")


def run(scenario: Scenario = RETAIL, json: Json = False, name: Run = "") -> None:
    """Every step from events to a release in one process, without Airflow.

    Examples:

        recloop run configs/retail.yaml

        recloop run configs/my-shop.yaml --json > run.json
    """
    from recloop_pipelines import report
    from recloop_pipelines.run import run as pipeline

    config = configuration(scenario)
    with steps() as progress:
        outcome = pipeline(config, name=run_name(name), steps=progress)
    if json:
        emit(report.summary(config, outcome))
    else:
        report.show(people(), config, outcome)
    if not outcome.released:
        raise typer.Exit(REFUSED)


def ingest(scenario: Scenario = RETAIL, json: Json = False, name: Run = "") -> None:
    """Collect the events and let the suite judge them: events -> checked.

    Example:

        recloop ingest configs/my-shop.yaml
    """
    from recloop_pipelines import ingest as module

    config = configuration(scenario)
    _take(config, json, name, [(module.collect, {}), (module.check, {"events": "events"})])


def train(
    scenario: Scenario = RETAIL, checked: Annotated[str, Artifact] = "", json: Json = False, name: Run = ""
) -> None:
    """Build the dataset and fit the model: checked -> dataset -> model.

    Example:

        recloop train configs/retail.yaml
    """
    from recloop_pipelines import train as module

    config = configuration(scenario)
    given = {"checked": checked or required(config, "checked")}
    _take(config, json, name, [(module.prepare, {"checked": "checked"}), (module.fit, {"dataset": "dataset"})], given)


def evaluate(
    scenario: Scenario = RETAIL, model: Annotated[str, Artifact] = "", json: Json = False, name: Run = ""
) -> None:
    """Compare the model with the champion and every baseline: dataset, model -> scorecard.

    Example:

        recloop evaluate configs/retail.yaml
    """
    from recloop_pipelines import evaluate as module

    config = configuration(scenario)
    given = {"dataset": required(config, "dataset"), "model": model or required(config, "model")}
    _take(config, json, name, [(module.evaluate, {"dataset": "dataset", "model": "model"})], given)


def release(
    scenario: Scenario = RETAIL,
    canary: Annotated[
        str,
        typer.Option(
            help="Try it on this share of users, such as 5%, and promote or roll back by their verdict; the default is "
            "experiments.canary of the scenario. 0: everybody gets it at once."
        ),
    ] = "",
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Ask it what the champion is asked, and compare; nobody sees its answers.")
    ] = False,
    json: Json = False,
    name: Run = "",
) -> None:
    """Judge the newest model at the gate; try the bundle in a copy of the server; move the pointer, or try it on users.

    Examples:

        recloop release configs/retail.yaml

        recloop release configs/retail.yaml --canary 5%
    """
    from recloop_pipelines import release as module
    from recloop_pipelines import rollouts

    config = configuration(scenario)
    tried = None if not canary else 0.0 if canary.strip() in AT_ONCE else share(canary, "--canary")
    if tried and shadow:
        raise BadConfig("A release is either a canary or a shadow: give one of --canary and --shadow.")
    step = update_wrapper(partial(module.release, canary=tried, shadow=shadow), module.release)
    kinds = ("dataset", "model", "scorecard")
    made = _take(
        config,
        json,
        name,
        [(step, {kind: kind for kind in kinds})],
        {kind: required(config, kind) for kind in kinds},
    )
    if made["release"] is None:
        raise typer.Exit(REFUSED)
    trial = rollouts.newest(config)
    if trial and trial.release == made["release"]:
        people().print(f"It is tried beside the champion: `recloop canary status {scenario}`.")


def rollback(scenario: Scenario = RETAIL, json: Json = False) -> None:
    """Serve the previous release again.

    Example:

        recloop rollback configs/retail.yaml
    """
    from recloop_pipelines import release as module

    pointer = module.rollback(config=configuration(scenario))
    if json:
        emit(pointer.model_dump())
    else:
        people().print(f"Generation {pointer.generation} serves {pointer.release}: {pointer.reason}")


def score(
    scenario: Scenario = RETAIL,
    release: Annotated[str, Artifact] = "",
    to: Annotated[
        str, typer.Option(help="Also write them to a .parquet or .csv file, or to a table: SQLAlchemy URL#TABLE.")
    ] = "",
    json: Json = False,
    name: Run = "",
) -> None:
    """Write the top k of every user to Parquet, CSV or a table: release -> recommendations.

    Examples:

        recloop score configs/retail.yaml --json

        recloop score configs/retail.yaml --to lists.csv

        recloop score configs/retail.yaml --to sqlite:///shop.db#recommendations
    """
    from recloop_pipelines import score as module

    config = configuration(scenario)
    step = update_wrapper(partial(module.score, to=to), module.score)
    _take(config, json, name, [(step, {"release": "release"})], {"release": release})


def _take(
    config: Any,
    json: bool,
    name: str,
    chain: list[tuple[Callable[..., str | None], dict[str, str]]],
    given: dict[str, str] | None = None,
) -> dict[str, str | None]:
    """Take steps one after another; each names the artefacts it reads by kind. Shows or emits what was made."""
    from recloop_pipelines.lease import leased, myself

    run = run_name(name)
    known: dict[str, str | None] = dict(given or {})
    made: dict[str, str | None] = {}
    with leased(config.scenario, holder=myself(f"recloop {chain[-1][0].__name__} {run}")), steps() as progress:
        for step, inputs in chain:
            kind = KINDS[step.__name__]
            with progress.step(f"{step.__name__} -> {kind}"):
                known[kind] = made[kind] = step(
                    config=config, out=place(config, kind, run), **{key: known[name] for key, name in inputs.items()}
                )
    if json:
        emit({"scenario": config.scenario, "artifacts": made, "seconds": progress.seconds})
    else:
        for kind, uri in made.items():
            people().print(f"{kind:<16}{uri or 'refused; latest stays ' + str(latest(config, kind))}")
    return made


COMMANDS: tuple[Callable[..., None], ...] = (run, ingest, train, evaluate, release, rollback, score)
