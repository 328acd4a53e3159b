from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from recloop.config import EvaluationConfig, GateConfig
from recloop.data.truth import Truth
from recloop.evaluation.gate import Cost, judge
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.metrics import PER_USER
from recloop.evaluation.protocol import Protocol
from recloop.evaluation.scorecard import Slices, score
from recloop.models.ranked import Ranked

USERS, ITEMS, K = 400, 200, 10
CONFIG = GateConfig(min_users=50)
CHEAP = Cost(latency_ms=3.0, megabytes=20.0)
PROTOCOL = Protocol(kind="temporal", start=0, end=100, k=K, min_item_events=1)
RNG = np.random.default_rng(5)
TAKEN = np.sort(np.stack([RNG.choice(np.arange(1, ITEMS + 1), 8, replace=False) for _ in range(USERS)]), axis=1)
NEW = np.tile(np.arange(8) % 2 == 0, USERS)
TRUTH = Truth(
    users=np.arange(1, USERS + 1, dtype=np.int32),
    offsets=np.arange(USERS + 1, dtype=np.int64) * 8,
    items=TAKEN.ravel().astype(np.int32),
    spend=np.ones(USERS * 8),
    new=NEW,
)
POPULARITY = np.arange(ITEMS + 1, dtype=np.float32)


def lists(hits, seed, rows=slice(None)):
    """Random lists in which about `hits` of ten places are answers, half of them new ones."""
    rng = np.random.default_rng(seed)
    items = np.stack([rng.choice(np.arange(1, ITEMS + 1), K, replace=False) for _ in range(USERS)]).astype(np.int32)
    for row in range(USERS)[rows]:
        right = rng.permutation(TAKEN[row])[: rng.poisson(hits)]
        rest = [i for i in items[row] if i not in right]
        items[row] = rng.permutation(np.array([*right, *rest])[:K])
    ranked = Ranked(items, np.zeros(items.shape, np.float32), np.zeros(items.shape, np.uint8))
    return {"all": ranked, "new": ranked}


def leaked(share):
    """Honest lists, but the first users get their answers, new ones first."""
    items = lists(1.5, 11)["all"].items
    told = int(share * USERS)
    items[:told, :8] = np.concatenate([TAKEN[:told, ::2], TAKEN[:told, 1::2]], axis=1)
    items[:told, 8:] = 0
    ranked = Ranked(items, np.zeros(items.shape, np.float32), np.zeros(items.shape, np.uint8))
    return {"all": ranked, "new": ranked}


NO_SLICES = Slices({}, {})
NOTHING = {"test_days_seen": 0.0}


def card(champion=None, slices=NO_SLICES, seen=NOTHING, **models):
    ranked = dict(models)
    if champion:
        ranked["champion"] = champion
    found, _ = score(
        ranked,
        TRUTH,
        popularity=POPULARITY,
        slices=slices,
        protocol=PROTOCOL,
        config=EvaluationConfig(bootstrap=300),
        metric="ndcg",
        seed=1,
        facts={"auc": 0.8} | seen,
        champion="d" if champion else None,
    )
    return found


BASELINE = lists(1.5, 1)
BETTER = lists(2.5, 2)


def judged(found, config=CONFIG, cost=CHEAP, baselines=("popularity",)):
    return judge(found, config, baselines=baselines, cost=cost)


def test_an_honest_gain_passes_and_says_what_it_beat():
    decision = judged(card(model=BETTER, popularity=BASELINE))
    assert decision.release, decision.reasons
    assert "Beats popularity" in decision.reasons[0]


def test_a_random_model_is_refused():
    decision = judged(card(model=lists(0, 3), popularity=BASELINE))
    assert not decision.release
    assert "worse than popularity" in decision.reasons[0]


def test_a_copy_of_popularity_is_refused_as_undecided():
    decision = judged(card(model=BASELINE, popularity=BASELINE))
    assert not decision.release
    assert "not proved better" in decision.reasons[0]
    assert "+0.0000" in decision.reasons[0]


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
def test_a_model_that_saw_the_answers_is_refused(share):
    decision = judged(card(model=leaked(share), popularity=BASELINE))
    assert not decision.release
    assert any("leak" in reason for reason in decision.reasons)


@pytest.mark.parametrize(
    ("limits", "says"), [({"leak_ceiling": 0.2}, "gate.leak_ceiling"), ({"leak_ratio": 1.2}, "gate.leak_ratio")]
)
def test_a_value_above_the_ceiling_or_far_above_the_best_baseline_is_taken_for_a_leak(limits, says):
    found = card(model=BETTER, popularity=BASELINE)
    assert judged(found).release
    decision = judged(found, replace_config(**limits))
    assert not decision.release
    assert says in decision.reasons[0]


@pytest.mark.parametrize(("seen", "says"), [({"test_days_seen": 7.0}, "7.0 days"), ({}, "does not say")])
def test_statistics_that_may_have_seen_the_test_are_a_refusal_however_good(seen, says):
    decision = judged(card(model=BETTER, popularity=BASELINE, seen=seen))
    assert not decision.release
    assert says in decision.reasons[0]


def test_a_missing_baseline_is_a_refusal():
    decision = judged(card(model=BETTER, popularity=BASELINE), baselines=("popularity", "item_knn"))
    assert not decision.release
    assert any("item_knn" in reason for reason in decision.reasons)


def test_too_few_users_are_a_refusal():
    decision = judged(card(model=BETTER, popularity=BASELINE), replace_config(min_users=401))
    assert any("401" in reason for reason in decision.reasons)


def replace_config(**changes):
    return CONFIG.model_copy(update=changes)


def test_a_slower_or_larger_model_is_refused():
    found = card(model=BETTER, popularity=BASELINE)
    assert any("51.0 ms" in r for r in judged(found, cost=Cost(51.0, 20)).reasons)
    assert any("900 MB" in r for r in judged(found, cost=Cost(3, 900)).reasons)
    assert not judged(found, cost=Cost(float("nan"), 20)).release


def test_the_champion_must_be_beaten_too():
    assert judged(card(model=BETTER, popularity=BASELINE, champion=lists(1.5, 6))).release
    decision = judged(card(model=BETTER, popularity=BASELINE, champion=BETTER))
    assert not decision.release
    assert "not proved better than champion on all purchases" in decision.reasons[0]


def test_better_on_all_but_worse_on_new_is_refused():
    mixed = {"all": lists(3.5, 7)["all"], "new": lists(1.8, 8)["new"]}
    decision = judged(card(model=mixed, popularity=BASELINE, champion=BETTER))
    assert not decision.release
    assert any("new purchases" in r and "champion" in r for r in decision.reasons)


@pytest.mark.parametrize(("low", "released"), [(-0.04, True), (-0.06, False)])
def test_on_new_purchases_no_more_than_the_allowed_loss_against_the_champion_may_be_possible(low, released):
    found = card(model=BETTER, popularity=BASELINE, champion=lists(1.5, 6))
    before = found.models["champion"]["new"]["ndcg"].value
    unsure = Estimate(0.01 * before, low * before, 0.08 * before, USERS)
    rivals = found.differences | {"champion": found.differences["champion"] | {"new": unsure}}
    assert judged(replace(found, differences=rivals), replace_config(max_slice_loss=0.05)).release is released


def test_a_worse_slice_of_users_is_refused():
    few = np.arange(USERS) < 120
    worse = lists(2.5, 9)
    worse["all"].items[:120] = lists(0, 10)["all"].items[:120]
    decision = judged(card(model=worse, popularity=BASELINE, slices=Slices({"users below 50 events": few}, {})))
    assert any("users below 50 events" in r for r in decision.reasons)


def test_a_slice_of_items_is_held_against_the_champion_only():
    some = np.zeros(ITEMS + 1, dtype=bool)
    some[1:60] = True
    greedy = {
        "all": Ranked(np.where(some[BASELINE["all"].items], BASELINE["all"].items, 0), *_rest()),
        "new": BASELINE["new"],
    }
    assert judged(
        card(model=BETTER, popularity=greedy, slices=Slices({}, {"rare items": some})), replace_config(leak_ratio=50)
    ).release


def _rest():
    return np.zeros((USERS, K), np.float32), np.zeros((USERS, K), np.uint8)


def test_a_slice_of_items_may_not_be_lost_against_the_champion():
    some = np.zeros(ITEMS + 1, dtype=bool)
    some[1:60] = True
    blind = {
        view: Ranked(np.where(some[ranked.items], 0, ranked.items), *_rest()) for view, ranked in lists(5, 12).items()
    }
    found = card(model=blind, popularity=BASELINE, champion=lists(1.5, 6), slices=Slices({}, {"department A": some}))
    assert [r for r in judged(found).reasons if "department A" in r and "worse than champion" in r]


def test_a_slice_of_few_users_decides_nothing():
    few = np.arange(USERS) < 40
    worse = lists(2.5, 9)
    worse["all"].items[:40] = lists(0, 10)["all"].items[:40]
    found = card(model=worse, popularity=BASELINE, slices=Slices({"users below 50 events": few}, {}))
    assert judged(found).release
    assert not judged(found, replace_config(min_slice_users=40)).release


def test_a_gate_of_another_metric_refuses_the_scorecard():
    decision = judged(card(model=BETTER, popularity=BASELINE), replace_config(metric="recall"))
    assert decision.reasons[0].startswith("The scorecard's differences are of ndcg, and the gate asks for recall")
    unnamed = replace(card(model=BETTER, popularity=BASELINE), metric="")
    assert "does not name" in judged(unnamed).reasons[0]


NAN = float("nan")


@pytest.mark.parametrize(
    ("estimate", "n"), [(None, 0), (Estimate(NAN, NAN, NAN, 0), 0), (Estimate(0.1, 0.05, 0.15, 49), 49)]
)
def test_a_view_that_nobody_or_few_have_a_value_on_is_a_refusal(estimate, n):
    found = card(model=BETTER, popularity=BASELINE)
    views = {"all": found.differences["popularity"]["all"]} | ({"new": estimate} if estimate else {})
    assert judged(replace(found, differences={"popularity": views})).reasons == (
        f"Against popularity on new purchases nothing can be decided: {n} users have a value.",
    )


def test_every_metric_that_a_gate_may_ask_for_is_one_of_a_user():
    assert set(get_args(GateConfig.model_fields["metric"].annotation)) < set(PER_USER)
