"""What the demo prints: the check, the scorecard, a household, a bad day, the canary, the replay, and where the time went."""

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from recloop.config import Config
from recloop_pipelines import report
from recloop_pipelines.feedback import decision_of
from recloop_pipelines.places import required
from recloop_pipelines.release import verdict
from recloop_pipelines.settings import opened, settings

if TYPE_CHECKING:
    from recloop.serving.rollout import Rollout
    from recloop_pipelines.quarantine import Case

SHOWN = 5


def checked(console: Console, config: Config) -> None:
    """The check's result."""
    folder = opened(required(config, "checked"), kind="checked").path
    facts = [json.loads((folder / name).read_text()) for name in ("profile.json", "verdict.json")]
    console.print(report.check_table(*facts))


def trained(console: Console, config: Config) -> dict[str, Any]:
    """The newest scorecard and what the gate said -> both as plain figures."""
    uri = required(config, "scorecard")
    card = report.card_of(uri)
    for view in ("all", "new"):
        console.print(report.scorecard_table(card, view))
    found = verdict(config, uri) or {"decision": "undecided", "reasons": []}
    report.show_verdict(console, found)
    figures = {name: {view: m["ndcg"].value for view, m in views.items()} for name, views in card.models.items()}
    return {"gate": found, "ndcg": figures, "users": card.users, "protocol": card.protocol.hash}


def household(console: Console, config: Config, *, at: datetime, user: str = "") -> str:
    """A household's last purchases and its recommendations -> the household."""
    user = user or _somebody(config)
    moment = at.timestamp()
    key = {"Authorization": f"Bearer {settings().service_key}"}
    with httpx.Client(base_url=settings().service, timeout=20, headers=key) as client:
        past = client.get(f"/v1/users/{user}/history", params={"at": moment, "limit": SHOWN}).raise_for_status().json()
        body = {"user_id": user, "k": config.serving.k, "context": {"time": moment}}
        answer = client.post("/v1/recommendations", json=body).raise_for_status().json()
    table = Table("", "product", "department", "price", title_justify="left", box=None)
    table.title = (
        f"Household {user} on {at:%Y-%m-%d}: {past['events']:,} purchases known; generation {answer['generation']}"
    )
    for event in past["newest"]:
        table.add_row("bought", event["title"], _department(event["category"]), f"{event['price']:.2f}")
    for item in answer["items"]:
        table.add_row(
            f"{item['rank']}", item["title"], _department(item["category"]), f"{item['price']:.2f}", style="bold"
        )
    console.print(table)
    return user


def feedback(console: Console, config: Config) -> None:
    """The decision to train again, with its reasons."""
    made = opened(required(config, "feedback"), kind="feedback")
    found = decision_of(made)
    metrics = made.manifest.metrics
    word = "train again" if found["retrain"] else "go on serving"
    console.print(
        f"Feedback: {metrics['answers']:,.0f} answers, {metrics['events']:,.0f} events; decision: [bold]{word}[/]"
    )
    for reason in found["reasons"]:
        console.print(f"  {reason}")


def refused(console: Console, config: Config, case: "Case", *, generation: int) -> None:
    """What the check found in the days that came, and that nothing of it reached what serves."""
    table = Table("fault", "day", "rows", "likely cause", "remedy", title_justify="left", box=None)
    table.title = "[bold red]Check failed[/]: the delivery is in quarantine"
    for found in case.findings:
        if found["stops"]:
            name = f"{found['check']} {found['about']}".strip()
            table.add_row(name, found["day"], f"{found['rows']:,}", escape(found["cause"]), escape(found["remedy"]))
    console.print(table)
    console.print(
        f"Generation {generation} goes on serving. Case: recloop quarantine show {config.scenario} --case {case.name}"
    )


def mended(console: Console, config: Config, day: date, rows: int) -> None:
    """The rows that were converted back, and what the check says now."""
    folder = opened(required(config, "checked"), kind="checked").path
    good = json.loads((folder / "profile.json").read_text())["good"]
    console.print(
        f"Repaired: {rows:,} prices of {day} divided by 100 and given back (recloop quarantine readmit {config.scenario} "
        f"--rows FILE). Check [green]ok[/], {good:,} events good.",
        soft_wrap=True,
    )


def canary_begins(console: Console, found: "Rollout") -> None:
    """Who is served by the release that is tried."""
    console.print(f"Canary: {found.share:.0%} of the households get the new release; the rest stay with the old one.")


def canary_ends(console: Console, found: "Rollout") -> None:
    """The verdict of the canary's guardrails."""
    word = "still running" if found.state == "running" else found.state.replace("_", " ")
    console.print(f"Canary: [bold]{word}[/] by its guardrails. {found.reason}")
    if "guardrails" in found.figures:
        console.print(report.guardrails_table(found.figures["guardrails"]))


def replays(console: Console, *found: dict[str, Any]) -> None:
    """Hits of each release in the replay."""
    table = Table(
        "generation", "baskets", "households", "from", "to", "hit rate", "recall", box=None, title_justify="left"
    )
    table.title = "Replay: each real basket, asked before and told after"
    for part in found:
        for row in part["by_release"]:
            first, last = (f"{row[name]:%Y-%m-%d}" for name in ("first", "last"))
            counts = (str(row["generation"] or "canary"), f"{row['baskets']:,}", f"{row['users']:,}")
            table.add_row(*counts, first, last, f"{row['hit_rate']:.3f}", f"{row['recall']:.3f}")
    console.print(table)
    failed, lost = (sum(part[name] for part in found) for name in ("failed_requests", "lost_events"))
    console.print(f"Failed requests: {failed}; events lost: {lost}")


def times(console: Console, seconds: dict[str, float]) -> None:
    """Where the time went."""
    total = sum(seconds.values())
    table = Table("part", "seconds", "share", title="Where the time went", title_justify="left", box=None)
    for name, s in seconds.items():
        table.add_row(name, f"{s:.1f}", f"{s / total:.0%}")
    table.add_row("in all", f"{total:.1f}", "", style="bold")
    console.print(table)


def addresses(console: Console, config: Config, components: list[dict[str, Any]]) -> None:
    """Where to look further."""
    from recloop.registry import page

    urls = {c["name"]: c["url"] for c in components if c["url"]}
    urls["mlflow"] = page(urls["mlflow"], config.scenario)
    names = {
        "airflow-api-server": "Airflow (user admin, password in .recloop/airflow/passwords.json)",
        "mlflow": "MLflow",
        "docs": "Data Docs",
        "service": "API docs of the service",
    }
    for name, title in names.items():
        console.print(f"{urls[name]:<44} {title}", soft_wrap=True)
    console.print("Everything stays up: `make down` stops it, `make up` brings it back.")


def _somebody(config: Config) -> str:
    """A household with a middling history: the same one every time."""
    folder = opened(required(config, "dataset"), kind="dataset").path
    users = json.loads((folder / "users.json").read_text())
    return str(users[len(users) // 3])


def _department(category: str) -> str:
    return category.split(" > ", maxsplit=1)[0].lower()
