"""The demo: real purchases to live recommendations, a bad day refused and mended, and a better release by canary."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from recloop.config import Config
from recloop.errors import Stopped
from recloop_pipelines import local, rollouts, showing, spoiling
from recloop_pipelines.airflow_api import AirflowApi
from recloop_pipelines.champion import pointer
from recloop_pipelines.console import REPORT
from recloop_pipelines.following import ended, follow, until
from recloop_pipelines.places import latest
from recloop_pipelines.settings import settings

AFTER = 2
"""weeks replayed while the second release is a canary"""
DAGS = {"ingest_events", "train_recommender", "watch_feedback", "score_users"}


@dataclass
class Clock:
    """Where the time went, and a bar for what runs."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    def take(self, name: str, work: Callable[[], Any]) -> Any:
        """Run and time one part."""
        bar = self.progress.add_task(name, total=1.0, note="")
        token = REPORT.set(lambda what, share: self.progress.update(bar, completed=share, note=what))
        start = time.monotonic()
        try:
            found = work()
        finally:
            REPORT.reset(token)
            self.seconds[name] = round(time.monotonic() - start, 1)
        self.progress.update(bar, completed=1.0, note="")
        return found


@dataclass(frozen=True)
class Stage:
    """What every act of the demo needs."""

    config: Config
    console: Console
    clock: Clock
    airflow: AirflowApi
    start: datetime
    """of what comes after data.until"""
    middle: datetime
    """when the second release is tried"""


def demo(config: Config, *, config_path: Path, console: Console, weeks: int, stop: bool = False) -> dict[str, Any]:
    """Run the whole demo -> its figures. Raises Stopped where a DAG failed, naming the task."""
    columns = (
        SpinnerColumn(finished_text="[green]+[/]"),
        TextColumn("{task.description:<34}"),
        BarColumn(bar_width=20),
    )
    with Progress(
        *columns, TimeElapsedColumn(), TextColumn("[dim]{task.fields[note]}[/]"), console=console
    ) as progress:
        clock = Clock(progress)
        result = _acts(_set(config, config_path, console, clock, weeks))
    showing.times(console, clock.seconds)
    result["seconds"] = clock.seconds
    if stop:
        local.down(settings())
    else:
        showing.addresses(console, config, local.status(settings()))
    return result


def _set(config: Config, path: Path, console: Console, clock: Clock, weeks: int) -> Stage:
    """Start the services. Raises Stopped where the scenario cannot be replayed, or was before."""
    if config.data.until is None:
        raise Stopped("The demo replays what comes after data.until; set it in the scenario.")
    clock.take("services", lambda: local.up(settings(), config=path))
    os.environ.update(local.environment(settings()))
    settings.cache_clear()
    if latest(config, "release"):
        raise Stopped(
            f"{config.scenario} was demonstrated here before: {settings().folder} holds its releases. Look at it with `recloop "
            "status`, or start from nothing: recloop down && rm -rf .recloop"
        )
    airflow = AirflowApi.from_environment(settings().airflow)
    start = config.data.until
    return Stage(config, console, clock, airflow, start, start + timedelta(weeks=weeks))


def _acts(stage: Stage) -> dict[str, Any]:
    config, console = stage.config, stage.console
    first = _first_release(stage)
    household = showing.household(console, config, at=stage.start)
    day = spoiling.last_whole_day(config, stage.middle)
    before = _play(stage, "replay of what came next", stage.start, stage.middle, spoilt=day)
    fault = _bad_day(stage, day)
    second = _second_release(stage)
    after = _play(stage, "replay beside the canary", stage.middle, stage.middle + timedelta(weeks=AFTER))
    canary = _verdict(stage)
    showing.replays(console, before, after)
    showing.household(console, config, at=stage.middle, user=household)
    return {"first": first, "second": second, "fault": fault, "canary": canary, "replays": [before, after]}


def _first_release(stage: Stage) -> dict[str, Any]:
    """events -> release, which serves everybody: there is nothing to compare it with."""
    until(lambda: set(stage.airflow.dags()) >= DAGS, "the DAGs")
    stage.clock.take("ingest_events", lambda: _ingest(stage, 0))
    showing.checked(stage.console, stage.config)
    stage.clock.take("train_recommender", lambda: follow(stage.airflow, "train_recommender", 0))
    made = showing.trained(stage.console, stage.config)
    _serving(stage.config)
    return made


def _bad_day(stage: Stage, day: date) -> dict[str, Any]:
    """The check refuses the spoilt day while the first release serves on; the mended day passes -> what was found."""
    stage.clock.take("watch_feedback", lambda: _watch(stage.airflow))
    showing.feedback(stage.console, stage.config)
    run = stage.clock.take("ingest_events, a day in cents", lambda: ended(stage.airflow, "ingest_events", 1))
    if run.good or run.failed != ("check",):
        raise Stopped(f"The prices of {day} were planted in cents, and the check let them pass. See {run.log}.")
    case = spoiling.refused(stage.config, day)
    showing.refused(stage.console, stage.config, case, generation=_generation())
    rows = spoiling.mended(stage.config, case, day)
    stage.clock.take("ingest_events, the day repaired", lambda: _ingest(stage, 2))
    showing.mended(stage.console, stage.config, day, rows)
    told = [f for f in case.findings if f["stops"]]
    return {"case": case.name, "findings": told, "repaired": rows, "generation": _generation()}


def _second_release(stage: Stage) -> dict[str, Any]:
    """What feedback taught, as a canary beside the first release."""
    stage.clock.take("train_recommender, warm", lambda: follow(stage.airflow, "train_recommender", 1))
    made = showing.trained(stage.console, stage.config)
    found = rollouts.newest(stage.config)
    if found is None:
        raise Stopped(
            f"No canary began: the gate's word on the second release is above, and experiments.canary of {stage.config.scenario} "
            f"is {stage.config.experiments.canary:g}."
        )
    showing.canary_begins(stage.console, found)
    return made


def _verdict(stage: Stage) -> dict[str, Any]:
    """What became of the canary; where it was promoted, the service and score_users have followed."""
    found = rollouts.newest(stage.config)
    assert found is not None
    showing.canary_ends(stage.console, found)
    if found.state == "promoted":
        _serving(stage.config)
        stage.clock.take("score_users", lambda: follow(stage.airflow, "score_users", 1))
    return found.model_dump()


def _ingest(stage: Stage, nth: int) -> None:
    stage.airflow.trigger("ingest_events", {"scenario": stage.config.scenario})
    follow(stage.airflow, "ingest_events", nth)


def _watch(airflow: AirflowApi) -> None:
    """Seal the journal, which wakes watch_feedback, and wait for its end."""
    from recloop_pipelines.service_api import asked

    before = len(airflow.runs("watch_feedback"))
    asked("POST", "/v1/journal/seal")
    follow(airflow, "watch_feedback", before)


def _serving(config: Config) -> None:
    """Wait until the service has taken the pointer's release."""
    found = pointer(config)
    wanted = found.generation if found else 0
    until(lambda: _generation() == wanted, "the service")


def _generation() -> int:
    import httpx

    return int(httpx.get(f"{settings().service}/health", timeout=10).json()["generation"])


def _play(stage: Stage, name: str, since: datetime, end: datetime, *, spoilt: date | None = None) -> dict[str, Any]:
    from recloop_pipelines.feedback import play

    config, zone = stage.config, stage.config.quality.watch.zone
    return dict(
        stage.clock.take(
            name,
            lambda: play(
                config,
                since=since,
                until=end,
                k=config.serving.k,
                change=lambda events: spoiling.in_cents(events, spoilt, zone=zone) if spoilt else events,
            ),
        )
    )
