"""The demo: real purchases to live recommendations, their feedback, and a better release; through Airflow, step by step."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from recloop.config import Config
from recloop.errors import Stopped
from recloop_pipelines import local, showing
from recloop_pipelines.airflow_api import AirflowApi
from recloop_pipelines.console import REPORT
from recloop_pipelines.places import latest
from recloop_pipelines.settings import settings

AFTER = 2
"""weeks replayed after it"""
ENDED = ("success", "failed")
PATIENCE = 900.0


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
        result = _demo(config, config_path, console, clock, weeks)
    showing.times(console, clock.seconds)
    result["seconds"] = clock.seconds
    if stop:
        local.down(settings())
    else:
        showing.addresses(console, config, local.status(settings()))
    return result


def _demo(config: Config, path: Path, console: Console, clock: Clock, weeks: int) -> dict[str, Any]:
    clock.take("services", lambda: local.up(settings(), config=path))
    os.environ.update(local.environment(settings()))
    settings.cache_clear()
    airflow = AirflowApi.from_environment(settings().airflow)
    cut = _cut(config)
    if latest(config, "release"):
        raise Stopped(
            f"{config.scenario} was demonstrated here before: {settings().folder} holds its releases. Look at it with `recloop "
            "status`, or start from nothing: recloop down && rm -rf .recloop"
        )
    clock.take("ingest_events", lambda: follow(airflow, "ingest_events", _trigger(airflow, config)))
    showing.checked(console, config)
    clock.take("train_recommender", lambda: follow(airflow, "train_recommender", 0))
    first = showing.trained(console, config)
    household = showing.household(console, config, at=cut)
    _serving(config)
    middle = cut + timedelta(weeks=weeks)
    replayed = clock.take(f"replay of {weeks} weeks", lambda: _play(config, cut, middle))
    clock.take("watch_feedback", lambda: _watch(airflow))
    showing.feedback(console, config)
    clock.take("ingest_events, with feedback", lambda: follow(airflow, "ingest_events", 1))
    clock.take("train_recommender, warm", lambda: follow(airflow, "train_recommender", 1))
    second = showing.trained(console, config)
    _serving(config)
    after = clock.take(f"replay of {AFTER} weeks more", lambda: _play(config, middle, middle + timedelta(weeks=AFTER)))
    clock.take("score_users", lambda: follow(airflow, "score_users", 0))
    showing.replays(console, replayed, after)
    showing.household(console, config, at=middle, user=household)
    return {"first": first, "second": second, "replays": [replayed, after]}


def _cut(config: Config) -> datetime:
    if config.data.until is None:
        raise Stopped("The demo replays what comes after data.until; set it in the scenario.")
    return config.data.until


def _trigger(airflow: AirflowApi, config: Config) -> int:
    """Trigger ingest_events once its DAG is parsed -> which of its runs that is (0: the first)."""
    _until(
        lambda: {"ingest_events", "train_recommender", "watch_feedback", "score_users"} <= set(airflow.dags()),
        "the DAGs",
    )
    before = len(airflow.runs("ingest_events"))
    airflow.trigger("ingest_events", {"scenario": config.scenario})
    return before


def _watch(airflow: AirflowApi) -> None:
    """Seal the journal, which wakes watch_feedback, and wait for its end."""
    import httpx

    before = len(airflow.runs("watch_feedback"))
    key = {"Authorization": f"Bearer {settings().service_key}"}
    httpx.post(f"{settings().service}/v1/journal/seal", headers=key, timeout=60).raise_for_status()
    follow(airflow, "watch_feedback", before)


def follow(airflow: AirflowApi, dag: str, nth: int) -> None:
    """Wait until the DAG's nth run (0: the first) has ended, telling which task runs. Raises Stopped where it failed."""
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        runs = sorted(airflow.runs(dag), key=lambda run: str(run["run_after"]))
        if len(runs) > nth:
            tasks = airflow.tasks(dag, runs[nth]["dag_run_id"])
            done = sum(t["state"] in ("success", "skipped") for t in tasks)
            now = next((t["task_id"] for t in tasks if t["state"] == "running"), "")
            REPORT.get()(now, done / max(len(tasks), 1))
            if runs[nth]["state"] in ENDED:
                _refuse_failed(dag, runs[nth], tasks)
                return
        time.sleep(0.5)
    raise Stopped(f"{dag} did not end in {PATIENCE:.0f} s. Look at its run in {settings().airflow}.")


def _refuse_failed(dag: str, run: dict[str, Any], tasks: list[dict[str, Any]]) -> None:
    failed = [t["task_id"] for t in tasks if t["state"] == "failed"]
    if run["state"] == "failed":
        raise Stopped(f"{dag} failed in {', '.join(failed)}. Its log is in {settings().airflow}/dags/{dag}/runs.")


def _serving(config: Config) -> None:
    """Wait until the service has taken the pointer's release."""
    import httpx

    from recloop_pipelines.champion import pointer

    found = pointer(config)
    wanted = found.generation if found else 0
    _until(lambda: httpx.get(f"{settings().service}/health", timeout=10).json()["generation"] == wanted, "the service")


def _play(config: Config, since: datetime, until: datetime) -> dict[str, Any]:
    from recloop_pipelines.feedback import play

    return play(config, since=since, until=until, k=config.serving.k)


def _until(holds: Callable[[], bool], what: str) -> None:
    for _ in range(240):
        if holds():
            return
        time.sleep(0.25)
    raise Stopped(f"{what} did not get ready in 60 s. See `recloop status` and .recloop/logs.")
