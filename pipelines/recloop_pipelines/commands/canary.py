"""Commands of a canary or shadow: what it shows, and a person's word where nobody wants to wait."""

from pathlib import Path
from typing import Annotated, Any

import typer

from recloop.errors import BadData
from recloop_pipelines.commands.options import Json, Scenario
from recloop_pipelines.console import emit, people
from recloop_pipelines.places import configuration

RETAIL = "configs/retail.yaml"
Reason = Annotated[str, typer.Option(help="Why; it is kept with the move.")]
app = typer.Typer(name="canary", help="A release on its way: tried beside the champion.", no_args_is_help=True)


@app.command()
def status(scenario: Scenario = RETAIL, json: Json = False) -> None:
    """The rollout that runs, or the last one, with its guardrails as the running service sees them.

    Example:

        recloop canary status configs/retail.yaml
    """
    from recloop_pipelines import rollouts
    from recloop_pipelines.service_api import asked

    found = rollouts.newest(configuration(scenario))
    if found is None:
        emit({"rollout": None}) if json else people().print("There was no canary or shadow yet.")
        return
    live = asked("GET", "/v1/rollout") if found.state == "running" else {"judgement": None, "shadow": None}
    told = {"rollout": found.model_dump(), "judgement": live["judgement"], "shadow": live["shadow"]}
    emit(told) if json else _show(told)


@app.command()
def promote(scenario: Scenario = RETAIL, reason: Reason = "by hand", json: Json = False) -> None:
    """Let the release serve everybody now.

    Example:

        recloop canary promote configs/retail.yaml --reason "the shadow agrees in 98 of 100 answers"
    """
    _decide(scenario, "promoted", reason, json)


@app.command()
def abort(scenario: Scenario = RETAIL, reason: Reason = "by hand", json: Json = False) -> None:
    """End the trial; the champion serves everybody.

    Example:

        recloop canary abort configs/retail.yaml
    """
    _decide(scenario, "stopped", reason, json)


@app.command(hidden=True)
def end(
    scenario: Scenario, decision: Annotated[Path, typer.Option(help="A rollout as JSON, with its verdict.")]
) -> None:
    """Carry out what the running service decided."""
    from recloop.serving.rollout import Rollout
    from recloop_pipelines.release import conclude

    try:
        found = Rollout.model_validate_json(decision.read_bytes())
    except (OSError, ValueError) as error:
        raise BadData(f"{decision} holds no decision: {error}") from error
    conclude(configuration(scenario), found)


def _decide(scenario: str, state: Any, reason: str, json: bool) -> None:
    from recloop_pipelines import rollouts
    from recloop_pipelines.release import conclude

    config = configuration(scenario)
    ended = conclude(config, rollouts.decided(config, state, reason))
    if json:
        emit(ended.model_dump())
    else:
        people().print(f"The {ended.mode} {ended.name} is {ended.state}: {ended.reason}")


def _show(told: dict[str, Any]) -> None:
    from recloop_pipelines.report import guardrails_table

    rollout, judged = told["rollout"], told["judgement"]
    people().print(
        f"{rollout['mode']} {rollout['name']} of {rollout['release']}: {rollout['state']} {rollout['reason']}"
    )
    rails = judged["guardrails"] if judged else rollout["figures"].get("guardrails", [])
    if rails:
        people().print(guardrails_table(rails))
    if judged:
        people().print(judged["reason"])
    if told["shadow"]:
        people().print(", ".join(f"{name} {value}" for name, value in told["shadow"].items()))
