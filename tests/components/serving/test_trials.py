import numpy as np
import pytest

from recloop.errors import BadRelease
from recloop.serving.audit import Audit
from recloop.serving.canary import Canary
from recloop.serving.engine import Engine
from recloop.serving.experiment import Experiments
from recloop.serving.journal import Journal
from recloop.serving.others import Others
from recloop.serving.state import State
from recloop.serving.traffic import Traffic
from recloop.serving.trials import Trials

AB = {"name": "greedy", "variants": [{"name": "control"}, {"name": "explore", "policy": "epsilon_greedy=0.2"}]}
BOSS = {"X-API-Key": "boss"}


def refuse(_):
    raise BadRelease("its vocabulary is empty")


@pytest.fixture
def server(bundle, tmp_path, served, keys):
    from recloop.config import ExperimentsConfig

    others = Others(refuse)
    experiments = Experiments(tmp_path / "experiments.json", others)
    traffic = Traffic(experiments, holdout=0.0, rng=np.random.default_rng(0))
    engine = Engine(State(), k=5, max_k=20, stages=(traffic,))
    engine.choose = traffic.choose
    engine.swap(bundle, digest="old", generation=1)
    journal = Journal(tmp_path / "journal")
    canary = Canary(
        engine, traffic, others, poll=lambda: None, replay=journal.replay, finish=lambda _: None, clock=lambda: 0.0,
        config=ExperimentsConfig(), hours=24, seconds=600, remembered=tmp_path / "rollout.json",
    )  # fmt: skip
    audit = Audit(tmp_path / "audit.jsonl")
    with served(engine, keys=keys, journal=journal, trials=Trials(experiments, canary, audit)) as running:
        running.audit = audit
        yield running


def test_an_experiment_is_started_seen_stopped_and_audited(server):
    assert server.client.post("/v1/experiments", json=AB, headers=BOSS).status_code == 201
    answer = server.client.post("/v1/recommendations", json={"user_id": "u1"}).json()
    assert answer["experiments"]["greedy"] in {"control", "explore"}
    assert "pool" not in answer
    assert server.client.post("/v1/experiments/greedy/stop", headers=BOSS).json()["until"] is not None
    (one,) = server.client.get("/v1/experiments", headers={"X-API-Key": "reader"}).json()["experiments"]
    assert one["design"]["name"] == "greedy"
    told = [(line["who"], line["what"]) for line in server.audit.lines()]
    assert told == [("boss", "experiment started"), ("boss", "experiment stopped")]


def test_only_administrators_start_and_stop(server):
    for path, body in (("/v1/experiments", AB), ("/v1/experiments/greedy/stop", None)):
        assert server.client.post(path, json=body, headers={"X-API-Key": "writer"}).status_code == 403
        assert server.client.post(path, json=body).status_code == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"variants": [{"name": "a"}]}, "body.variants"),
        ({"variants": [{"name": "a"}, {"name": "b", "policy": "magic"}]}, "variants.1.policy"),
        ({"variants": [{"name": "a"}, {"name": "b", "release": "file:///none"}]}, "variants"),
    ],
)
def test_what_cannot_be_started_is_a_problem_that_names_the_field(server, change, field):
    response = server.client.post("/v1/experiments", json=AB | change, headers=BOSS)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == field


def test_the_rollout_that_runs_is_shown(server):
    assert server.client.get("/v1/rollout", headers=BOSS).json() == {"rollout": None, "degraded": {}}
