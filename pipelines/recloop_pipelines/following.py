"""Wait for what Airflow, the store and the service do by themselves."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recloop.errors import Stopped
from recloop_pipelines.airflow_api import AirflowApi
from recloop_pipelines.console import REPORT
from recloop_pipelines.settings import settings

ENDED = ("success", "failed")
PATIENCE = 900.0


@dataclass(frozen=True)
class Ended:
    """A DAG's run that has ended."""

    dag: str
    run: str
    good: bool
    failed: tuple[str, ...]
    """tasks"""

    @property
    def log(self) -> str:
        """Where people read what its tasks said."""
        return f"{settings().airflow}/dags/{self.dag}/runs/{self.run}"


def follow(airflow: AirflowApi, dag: str, nth: int) -> Ended:
    """Wait until the DAG's nth run (0: the first) has ended well, telling which task runs. Raises Stopped where it failed."""
    found = ended(airflow, dag, nth)
    if not found.good:
        raise Stopped(f"{dag} failed in {', '.join(found.failed)}. Its log is in {found.log}.")
    return found


def ended(airflow: AirflowApi, dag: str, nth: int) -> Ended:
    """Wait until the DAG's nth run (0: the first) has ended, well or not. Raises Stopped where it does not end."""
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        runs = sorted(airflow.runs(dag), key=lambda run: str(run["run_after"]))
        if len(runs) > nth:
            tasks = airflow.tasks(dag, runs[nth]["dag_run_id"])
            _tell(tasks)
            if runs[nth]["state"] in ENDED:
                return _ended(dag, runs[nth], tasks)
        time.sleep(0.5)
    raise Stopped(f"{dag} did not end in {PATIENCE:.0f} s. Look at its run in {settings().airflow}.")


def until(holds: Callable[[], bool], what: str, *, seconds: float = 60.0) -> None:
    """Wait until something holds. Raises Stopped naming it."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if holds():
            return
        time.sleep(0.25)
    raise Stopped(f"{what} did not get ready in {seconds:.0f} s. See `recloop status` and .recloop/logs.")


def _tell(tasks: list[dict[str, Any]]) -> None:
    done = sum(t["state"] in ("success", "skipped") for t in tasks)
    now = next((t["task_id"] for t in tasks if t["state"] == "running"), "")
    REPORT.get()(now, done / max(len(tasks), 1))


def _ended(dag: str, run: dict[str, Any], tasks: list[dict[str, Any]]) -> Ended:
    failed = tuple(t["task_id"] for t in tasks if t["state"] == "failed")
    return Ended(dag, run["dag_run_id"], run["state"] == "success", failed)
