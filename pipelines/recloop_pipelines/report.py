"""What a run found, for people and for machines."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from recloop.config import Config
from recloop_pipelines.release import verdict
from recloop_pipelines.run import Outcome
from recloop_pipelines.settings import opened

if TYPE_CHECKING:
    from recloop.evaluation.intervals import Estimate
    from recloop.evaluation.scorecard import Scorecard

SHOWN = ("ndcg", "recall", "hit_rate", "spend_share")


def card_of(uri: str) -> "Scorecard":
    """The scorecard artefact, loaded."""
    from recloop.evaluation.scorecard import Scorecard

    return Scorecard.load(opened(uri, kind="scorecard").path)


def summary(config: Config, outcome: Outcome) -> dict[str, Any]:
    """One JSON object: scenario, release, gate, protocol, models, seconds, artifacts."""
    from recloop_pipelines.run import digests

    card = card_of(_needed(outcome, "scorecard"))
    return {
        "scenario": config.scenario,
        "release": outcome.artifacts["release"],
        "gate": verdict(config, _needed(outcome, "scorecard")),
        "protocol": card.protocol.hash,
        "users": card.users,
        "models": {
            name: {f"{view}.{metric}": _plain(e) for view, metrics in views.items() for metric, e in metrics.items()}
            for name, views in card.models.items()
        },
        "facts": card.facts,
        "digests": digests(outcome),
        "seconds": outcome.seconds,
    }


def show(console: Console, config: Config, outcome: Outcome) -> None:
    """Print the scorecard, the gate and where the time went."""
    card = card_of(_needed(outcome, "scorecard"))
    for view in ("all", "new"):
        console.print(scorecard_table(card, view))
    found = verdict(config, _needed(outcome, "scorecard"))
    if found:
        show_verdict(console, found)
    console.print(", ".join(f"{step} {s:.1f} s" for step, s in outcome.seconds.items()))
    if outcome.artifacts["release"]:
        console.print(f"Serves now: {outcome.artifacts['release']}. Next: recloop serve --scenario {config.scenario}")


NEXT = (
    "What serves goes on. To get further: more history, another model.kind (recloop compare and recloop tune show which), or, "
    "where only new items matter, gate.views: [new]."
)


def show_verdict(console: Console, found: dict[str, Any]) -> None:
    """Print what the gate decided, and why."""
    colour = "green" if found["decision"] == "released" else "red"
    console.print(f"Gate: [bold {colour}]{found['decision']}[/]")
    for reason in found["reasons"]:
        console.print(f"  {reason}")
    if found["decision"] != "released":
        console.print(f"  {NEXT}", highlight=False, markup=False)


def check_table(profile: dict[str, Any], verdict_: dict[str, Any]) -> Table:
    """The check's result: rows, what went to quarantine, expectations met."""
    table = Table("check", "found", title="Checked events", title_justify="left", box=None)
    met = sum(bool(r["ok"]) for r in verdict_["results"])
    table.add_row("verdict", "[green]ok[/]" if verdict_["ok"] else "[red]failed[/]")
    table.add_row("expectations met", f"{met} of {len(verdict_['results'])}")
    for name in ("rows", "good", "users", "items"):
        table.add_row(name, f"{profile[name]:,}")
    table.add_row("from, to", f"{profile['first'][:10]}, {profile['last'][:10]}")
    for reason, count in sorted(profile["quarantined"].items()):
        table.add_row(f"quarantine: {reason}", f"{count:,}")
    days = verdict_["days"]
    table.add_row("new days judged", ", ".join(filter(None, (str(days["judged"]), days["note"]))))
    for finding in verdict_["findings"]:
        table.add_row("[yellow]finding[/]", escape(finding))
    return table


def guardrails_table(rails: list[dict[str, Any]]) -> Table:
    """Guardrails of a canary beside the champion."""
    table = Table("guardrail", "canary", "champion", "p of no harm", "shown safe", box=None)
    for rail in rails:
        own = (f"{rail['canary']:.4g}", f"{rail['champion']:.4g}", f"{rail['harm']:.3g}")
        table.add_row(rail["name"], *own, "yes" if rail["safe"] else "not yet")
    return table


def scorecard_table(card: "Scorecard", view: str) -> Table:
    """Models with intervals, best first."""
    k = card.protocol.k
    what = "all purchases" if view == "all" else "purchases new to the household"
    table = Table(
        Column("model", no_wrap=True),
        Column(f"{SHOWN[0]}@{k}", no_wrap=True),
        *(name.replace("_", " ") for name in SHOWN[1:]),
        title=f"Scorecard, {what} ({card.users:,} users, protocol {card.protocol.hash})",
        title_justify="left",
        box=None,
    )
    rank = sorted(card.models, key=lambda name: -card.models[name][view]["ndcg"].value)
    for name in rank:
        shown = card.models[name][view]
        cells = [_cell(shown[SHOWN[0]]), *(f"{shown[metric].value:.3f}" for metric in SHOWN[1:])]
        style = "bold" if name == "model" else ""
        table.add_row(name, *cells, style=style)
    return table


def _cell(e: "Estimate") -> str:
    return f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" if e.low < e.high else f"{e.value:.3f}"


def _plain(e: "Estimate") -> dict[str, float]:
    return {"value": e.value, "low": e.low, "high": e.high}


def _needed(outcome: Outcome, kind: str) -> str:
    uri = outcome.artifacts[kind]
    assert uri is not None
    return uri
