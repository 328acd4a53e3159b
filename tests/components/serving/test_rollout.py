import pytest

from recloop.artifacts import open_store
from recloop.errors import BadArtifact, Conflict
from recloop.evaluation.experiments.assignment import variant_of
from recloop.serving.rollout import Rollout, begin, current, end, key


def rollout(name="a", **changes):
    return Rollout(
        **{"name": name, "mode": "canary", "release": "r", "digest": "d", "share": 0.05, "since": 1.0} | changes
    )


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


def test_one_rollout_at_a_time(store):
    assert current(store, "shop") is None
    begin(store, "shop", rollout())
    with pytest.raises(Conflict, match="canary a of r is running"):
        begin(store, "shop", rollout("b"))
    end(store, "shop", rollout(state="promoted", reason="it is good"))
    begin(store, "shop", rollout("b"))
    assert current(store, "shop").name == "b"


def test_only_the_one_that_runs_can_be_ended_and_only_once(store):
    with pytest.raises(Conflict, match="there was none"):
        end(store, "shop", rollout(state="stopped"))
    begin(store, "shop", rollout())
    end(store, "shop", rollout(state="rolled_back"))
    with pytest.raises(Conflict, match="a is rolled_back"):
        end(store, "shop", rollout(state="promoted"))


def test_damage_in_the_store_is_named(store):
    store.write(key("shop"), b"{}")
    with pytest.raises(BadArtifact, match="rollouts/shop/current"):
        current(store, "shop")


def test_the_canary_gets_its_share_of_users():
    own = rollout().running
    found = [variant_of(own, f"u{n}").name for n in range(4_000)]
    assert found.count("canary") / 4_000 == pytest.approx(0.05, abs=0.015)
