import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from recloop.serving.others import ASIDE
from recloop_pipelines import local
from recloop_pipelines.airflow_api import AirflowApi
from recloop_pipelines.settings import Settings

ROOT = Path(__file__).parents[2]
DAGS = {"ingest_events", "train_recommender", "watch_feedback", "score_users"}


def recloop(home, *words, timeout=1200):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "recloop_pipelines", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=timeout,
        env={**os.environ, "RECLOOP_HOME": str(home)},
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The demo's JSON and the home that it left up."""
    home = tmp_path_factory.mktemp("demo")
    found = recloop(home, "demo", "--json")
    yield found, home
    recloop(home, "down")


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_demo_releases_a_model_and_a_better_one_from_feedback(shown):
    found, _ = shown
    assert found.returncode == 0, found.stderr[-6000:]
    body = json.loads(found.stdout)
    for part in ("first", "second"):
        assert body[part]["gate"]["decision"] == "released", body[part]["gate"]
    for view in ("all", "new"):
        own = body["first"]["ndcg"]["model"][view]
        assert all(own > other[view] for name, other in body["first"]["ndcg"].items() if name != "model")
    assert body["second"]["ndcg"]["model"]["all"] > body["second"]["ndcg"]["champion"]["all"]
    assert [part["failed_requests"] for part in body["replays"]] == [0, 0]
    assert [part["lost_events"] for part in body["replays"]] == [0, 0]
    generations = [{row["generation"] for row in part["by_release"]} for part in body["replays"]]
    assert generations[0] == {1}
    assert generations[1] >= {ASIDE, 1}


@pytest.mark.slow
def test_a_day_in_cents_is_refused_while_the_first_release_serves_and_passes_repaired(shown):
    fault = json.loads(shown[0].stdout)["fault"]
    assert "price_level" in {found["check"] for found in fault["findings"]}
    assert {found["day"] for found in fault["findings"]} == {"2017-11-18"}
    assert fault["repaired"] > 1000
    assert fault["generation"] == 1


@pytest.mark.slow
def test_the_better_release_is_promoted_by_its_guardrails(shown):
    canary = json.loads(shown[0].stdout)["canary"]
    assert canary["state"] == "promoted", canary
    assert all(rail["safe"] for rail in canary["figures"]["guardrails"])


@pytest.mark.slow
def test_airflow_shows_the_refused_check_alone_in_red(shown):
    _, home = shown
    env = local.environment(Settings(home=home))
    login = json.loads(Path(env["RECLOOP_AIRFLOW_CREDENTIALS"]).read_text())
    airflow = AirflowApi(env["RECLOOP_AIRFLOW"], **login)
    states = {dag: {run["state"] for run in airflow.runs(dag)} for dag in airflow.dags()}
    assert set(states) == DAGS
    assert all("success" in found for found in states.values())
    assert {dag for dag, found in states.items() if "failed" in found} == {"ingest_events"}


@pytest.mark.slow
def test_down_and_up_bring_all_back_without_an_orphan(shown):
    _, home = shown
    assert recloop(home, "down").returncode == 0
    left = [p for p in psutil.process_iter() if _belongs(p, home)]
    assert left == []
    assert recloop(home, "up").returncode == 0
    env = local.environment(Settings(home=home))
    answer = httpx.post(f"{env['RECLOOP_SERVICE']}/v1/recommendations", json={"user_id": "1", "k": 5}, timeout=30)
    assert answer.status_code == 200
    assert answer.json()["generation"] == 2
    assert len(answer.json()["items"]) == 5


def _belongs(process, home):
    try:
        return process.environ().get("RECLOOP_HOME") == str(home) and process.environ().get("RECLOOP_COMPONENT")
    except (psutil.Error, OSError):
        return False
