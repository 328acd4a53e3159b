import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recloop.config import EvaluationConfig, GateConfig
from recloop.data.truth import Truth
from recloop.errors import BadData
from recloop.evaluation.gate import Cost, judge
from recloop.evaluation.protocol import Protocol
from recloop.evaluation.scorecard import Scorecard, Slices, score
from recloop.evaluation.slices import slices_of
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


def test_a_scorecard_comes_back_byte_equal_and_refuses_another_protocol(tmp_path):
    found = card(model=BETTER, popularity=BASELINE, slices=Slices({"s": np.arange(USERS) < 100}, {}))
    found.save(tmp_path)
    again = Scorecard.load(tmp_path)
    assert again.dumps() == found.dumps()
    text = (tmp_path / "scorecard.json").read_text()
    (tmp_path / "scorecard.json").write_text(text.replace('"k": 10', '"k": 20'))
    with pytest.raises(BadData, match="protocol"):
        Scorecard.load(tmp_path)


@pytest.mark.parametrize(
    "change", [{"k": 20}, {"start": 1}, {"end": 2}, {"kind": "leave_last_out"}, {"min_item_events": 5}]
)
def test_each_part_of_a_protocol_changes_its_hash(change):
    assert replace(PROTOCOL, **change).hash != PROTOCOL.hash


def test_figures_that_nobody_has_are_null_in_a_file_that_any_reader_of_json_takes(tmp_path):
    found = card(model=BETTER, popularity=BASELINE, slices=Slices({"nobody": np.zeros(USERS, dtype=bool)}, {}))
    found.save(tmp_path)
    text = (tmp_path / "scorecard.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["slices"]["nobody"]["model"]["value"] is None
    again = Scorecard.load(tmp_path)
    assert np.isnan(again.slices["nobody"]["model"].value)
    assert again.dumps() == text


def test_one_row_a_user_model_and_view_is_kept():
    _, table = score(
        {"model": BETTER, "popularity": BASELINE},
        TRUTH,
        popularity=POPULARITY,
        slices=NO_SLICES,
        protocol=PROTOCOL,
        config=EvaluationConfig(bootstrap=100),
        metric="ndcg",
        seed=1,
        facts={},
    )
    assert table.height == USERS * 2 * 2
    assert table.filter(model="model", view="all")["ndcg"].mean() == pytest.approx(
        card(model=BETTER, popularity=BASELINE).models["model"]["all"]["ndcg"].value
    )


def test_slices_name_new_users_rare_items_and_departments():
    catalogue = pl.DataFrame({"category": ["A > x", "B", "A > y", "B"]})
    found = slices_of(np.array([3, 80]), np.array([0, 9, 1, 8, 2], dtype=np.float32), catalogue)
    assert found.users["users below 50 events"].tolist() == [True, False]
    assert found.items["department A"].tolist() == [False, True, False, True, False]
    assert found.items["rare items"].tolist() == [False, False, True, True, True]
