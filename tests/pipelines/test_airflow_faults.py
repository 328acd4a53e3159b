import json
import os
import time
from pathlib import Path

import psutil
import pytest

from recloop.artifacts import read_manifest
from recloop.config import load
from recloop_pipelines import local
from recloop_pipelines.airflow_api import AirflowApi
from recloop_pipelines.console import steps
from recloop_pipelines.places import KINDS
from recloop_pipelines.run import digests, run
from recloop_pipelines.settings import Settings, settings

TASKS = {"ingest_events": ("collect", "check"), "train_recommender": ("prepare", "fit", "evaluate", "release")}


@pytest.fixture
def airflow(shop, tmp_path, monkeypatch):
    """Airflow with its stores on the made-up shop, and the digests that an undisturbed run in one process gives."""
    with steps() as progress:
        whole = digests(run(load(shop), name="whole", steps=progress))
    here = Settings(home=tmp_path / "embedded")
    before = dict(os.environ)
    local.up(here, config=shop)
    env = local.environment(here)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    login = json.loads(Path(env["RECLOOP_AIRFLOW_CREDENTIALS"]).read_text())
    yield AirflowApi(env["RECLOOP_AIRFLOW"], **login), whole
    local.down(here)
    os.environ.clear()
    os.environ.update(before)


def wait(find, seconds=180):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"nothing came in {seconds} s")


def first(api, dag):
    return next(iter(sorted(api.runs(dag), key=lambda r: r["run_after"])), None)


def kill_first_try(api, dag, task):
    """SIGKILL the process that runs the task's first try."""

    def running():
        found = first(api, dag)
        tasks = api.tasks(dag, found["dag_run_id"]) if found else []
        return next((t for t in tasks if t["task_id"] == task and t["state"] == "running"), None)

    instance = wait(running)
    wait(lambda: sum(child.kill() is None for child in children(instance["id"])))


def children(instance):
    """The process in which a task runs: a child of the worker that watches over it and carries its id."""
    found = [p for p in psutil.process_iter(["cmdline"]) if instance in str(p.info["cmdline"])]
    return [child for worker in found for child in worker.children()]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_task_killed_at_each_step_is_retried_to_the_same_bytes(airflow):
    api, whole = airflow
    wait(lambda: set(TASKS) <= set(api.dags()))
    api.trigger("ingest_events", {"scenario": "shop"})
    for dag, tasks in TASKS.items():
        for task in tasks:
            kill_first_try(api, dag, task)
        wait(lambda dag=dag: first(api, dag)["state"] in ("success", "failed"))
        assert first(api, dag)["state"] == "success"
    made = {}
    for dag, tasks in TASKS.items():
        run_id = first(api, dag)["dag_run_id"]
        tried = {t["task_id"]: t["try_number"] for t in api.tasks(dag, run_id)}
        assert all(tried[task] > 1 for task in tasks), tried
        made |= {KINDS[task]: read_manifest(api.xcom(dag, run_id, task), kind=KINDS[task]).digest for task in tasks}
    assert made == whole
