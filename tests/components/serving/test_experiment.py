from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pydantic import ValidationError

from recloop.bandits.policies import policy
from recloop.errors import BadArtifact, BadData, BadRequest
from recloop.evaluation.experiments.design import Design, Variant
from recloop.serving.engine import Engine
from recloop.serving.experiment import Experiments
from recloop.serving.explore import honest
from recloop.serving.others import Others
from recloop.serving.receipts import record_of
from recloop.serving.rollout import Rollout
from recloop.serving.schemas import Ask
from recloop.serving.state import State
from recloop.serving.traffic import Traffic

USERS = [f"u{n}" for n in range(6)] + [f"stranger{n}" for n in range(34)]
EXPLORE = Variant(name="explore", policy="epsilon_greedy=0.5")


def design(name="greedy", *variants, **more):
    return Design(name=name, variants=variants or (Variant(name="control"), EXPLORE), **more)


@pytest.fixture
def others(other_folder):
    def fetch(uri):
        if uri != "store/other":
            raise BadData(f"There is no {uri}.")
        return other_folder, "other"

    return Others(fetch)


@pytest.fixture
def experiments(tmp_path, others):
    return Experiments(tmp_path / "experiments.json", others)


@pytest.fixture
def trying(bundle, experiments):
    """An engine whose traffic takes part in the experiments."""
    traffic = Traffic(experiments, holdout=0.0, rng=np.random.default_rng(3))
    made = Engine(State(), k=5, max_k=20, stages=(traffic,))
    made.choose, made.traffic = traffic.choose, traffic
    made.swap(bundle, digest="first", generation=1)
    return made


def asked(engine, user, **more):
    ask = Ask(user_id=user, **more)
    return ask, engine.recommend(ask, now=engine.serving.bundle.end + 100.0)


def test_users_of_the_control_get_what_everybody_got_and_the_others_explore(trying, experiments, bundle):
    plain = {user: asked(trying, user)[1]["items"] for user in USERS}
    experiments.start(design(), now=1.0)
    seen = {"control": 0, "explore": 0}
    for user in USERS:
        _, answer = asked(trying, user)
        variant = answer["experiments"]["greedy"]
        seen[variant] += 1
        if variant == "control":
            assert answer["items"] == plain[user]
            assert answer["policy"] == "top_k"
        else:
            assert answer["policy"] == "epsilon_greedy=0.5"
            assert answer["propensity"] == pytest.approx(np.prod(answer["propensities"]), rel=1e-6)
    assert min(seen.values()) > 8


def test_the_journal_keeps_what_is_needed_to_judge_other_policies(trying, experiments):
    experiments.start(design("x", Variant(name="a"), Variant(name="b"), allocation=1.0), now=1.0)
    experiments.stop("x", now=2.0)
    experiments.start(design(), now=1.0)
    user = next(
        u for u in USERS if trying.traffic.assigned(u)[0][1] is EXPLORE or trying.traffic.assigned(u)[0][1].policy
    )
    record = record_of(*asked(trying, user))
    scores = np.array([record["pool"]["scores"]])
    places = np.array([[record["pool"]["items"].index(item) for item in record["items"]]])
    again = policy("epsilon_greedy=0.5").propensities(scores, places)
    np.testing.assert_allclose(again[0], record["propensities"], atol=1e-8)
    assert record["experiments"] == {"greedy": "explore"}


def test_a_variants_release_answers_its_users_and_nobody_else(trying, experiments):
    experiments.start(design("two", Variant(name="old"), Variant(name="new", release="store/other")), now=1.0)
    for user in USERS:
        _, answer = asked(trying, user)
        assert answer["release"] == {"old": "first", "new": "other"}[answer["experiments"]["two"]]


def test_anonymous_visitors_other_kinds_and_the_holdout_are_left_alone(trying, experiments):
    experiments.start(design(), now=1.0)
    assert "experiments" not in asked(trying, None, session=["a"])[1]
    trying.traffic.holdout = 1.0
    trying.traffic.refresh()
    assert "experiments" not in asked(trying, "u1")[1]


def test_a_canary_leaves_alone_who_compares_releases_already(trying, experiments, others):
    others.load("store/other")
    trying.traffic.try_out(Rollout(name="c", mode="canary", release="store/other", digest="other", share=0.5, since=1))
    arms = {asked(trying, user)[1]["experiments"]["c"] for user in USERS}
    assert arms == {"champion", "canary"}
    experiments.start(
        design("two", Variant(name="old"), Variant(name="new", release="store/other"), allocation=0.5), now=1.0
    )
    for user in USERS:
        assert len(asked(trying, user)[1]["experiments"]) == 1


def test_experiments_go_on_after_a_restart_and_one_without_its_release_is_suspended(tmp_path, experiments, others):
    experiments.start(design("two", Variant(name="old"), Variant(name="new", release="store/other")), now=1.0)
    again = Experiments(experiments.path, others)
    again.load()
    assert [one.design.name for one in again.active] == ["two"]
    others.loaded.clear()
    others.fetch = lambda uri: (tmp_path / "nowhere", "x")
    again.load()
    assert again.active == ()
    assert "suspended" in again.reasons["experiment_two"]


def test_what_cannot_be_started_is_refused_and_changes_nothing(experiments):
    experiments.start(design("one"), now=1.0)
    with pytest.raises(BadRequest, match="already"):
        experiments.start(design("one"), now=2.0)
    with pytest.raises(BadRequest, match="no policy 'magic'"):
        experiments.start(design("m", Variant(name="a"), Variant(name="b", policy="magic"), layer="other"), now=2.0)
    with pytest.raises(BadData, match="no store/none"):
        experiments.start(
            design("r", Variant(name="a"), Variant(name="b", release="store/none"), layer="other"), now=2.0
        )
    with pytest.raises(BadRequest, match="running: one"):
        experiments.stop("two", now=3.0)
    assert [one.design.name for one in experiments.every] == ["one"]


def test_experiments_started_at_once_share_no_user(experiments):
    halves = [design(name).model_copy(update={"allocation": 0.5}) for name in ("one", "two")]
    with ThreadPoolExecutor(2) as both:
        made = list(both.map(lambda half: experiments.start(half, now=1.0), halves))
    assert sorted(one.part for one in made) == [(0.0, 0.5), (0.5, 1.0)]


def test_layers_that_cross_do_not_both_name_a_policy(experiments):
    arms = Variant(name="a"), Variant(name="b", policy="epsilon_greedy=0.1")
    experiments.start(design("one", *arms), now=1.0)
    with pytest.raises(BadRequest, match="one of the layer default names a policy already"):
        experiments.start(design("two", *arms, layer="other"), now=2.0)


@pytest.mark.parametrize("layer", ["holdout", "rollouts"])
def test_the_layers_of_the_holdout_and_of_canaries_are_no_experiments(experiments, layer):
    with pytest.raises((BadRequest, ValidationError), match=layer):
        experiments.start(design("one", layer=layer), now=1.0)


def test_a_damaged_file_of_experiments_is_named(tmp_path, others):
    path = tmp_path / "experiments.json"
    path.write_text("{")
    with pytest.raises(BadArtifact, match=r"experiments\.json"):
        Experiments(path, others)


def test_unknown_keys_of_a_design_are_refused():
    with pytest.raises(ValidationError, match="extra"):
        design(speed=3)


def test_where_a_rule_changed_what_was_drawn_nobody_knows_its_chance(trying, experiments):
    experiments.start(design("all", Variant(name="a", policy="uniform"), Variant(name="b", policy="uniform")), now=1.0)
    _, answer = asked(trying, "u1")
    assert honest(answer) is answer
    changed = honest(answer | {"items": answer["items"][::-1]})
    assert changed["propensity"] is None
    assert not {"pool", "propensities"} & changed.keys()
    assert changed["policy"] == "uniform"
