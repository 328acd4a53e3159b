import json
from dataclasses import replace

import numpy as np
import pytest

from recloop.config import EvaluationConfig
from recloop.data.truth import Truth
from recloop.errors import BadData
from recloop.evaluation.calibration import Bin
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.metrics import PER_USER
from recloop.evaluation.protocol import Protocol
from recloop.evaluation.scorecard import Scorecard, Slices, score
from recloop.models.ranked import Ranked

PROTOCOL = Protocol(kind="temporal", start=0, end=100, k=2, min_item_events=1)
# user 11 took 1 (new) and 2, user 12 took 3, user 13 took an item outside the vocabulary (new)
TRUTH = Truth(
    users=np.array([11, 12, 13], dtype=np.int32),
    offsets=np.array([0, 2, 3, 4]),
    items=np.array([1, 2, 3, 0], dtype=np.int32),
    spend=np.array([3.0, 1.0, 5.0, 2.0]),
    new=np.array([True, False, False, True]),
)
POPULARITY = np.array([0, 4, 2, 1, 1], dtype=np.float32)
SLICES = Slices(
    users={"first": np.array([True, False, False]), "nobody": np.zeros(3, dtype=bool)},
    items={"item 2": np.array([False, False, True, False, False])},
)


def ranked(*rows):
    items = np.array(rows, dtype=np.int32)
    return Ranked(items, np.zeros(items.shape, np.float32), np.zeros(items.shape, np.uint8))


LISTS = {
    "model": {"all": ranked([1, 2], [3, 1], [1, 2]), "new": ranked([1, 3], [1, 2], [1, 2])},
    "popularity": {"all": ranked([1, 4], [1, 2], [1, 2]), "new": ranked([4, 3], [2, 1], [1, 2])},
}


def scored(**changes):
    options = {
        "popularity": POPULARITY,
        "slices": SLICES,
        "protocol": PROTOCOL,
        "config": EvaluationConfig(k=2, bootstrap=100, confidence=0.9),
        "metric": "recall",
        "seed": 1,
        "facts": {"auc": 0.75, "odd": float("nan")},
    }
    return score(LISTS, TRUTH, **(options | changes))


CARD, TABLE = scored(calibration=(Bin(0.1, 0.2, 3),), champion="abc")


def test_figures_of_each_model_and_view_by_hand():
    recall = {name: {view: m["recall"].value for view, m in views.items()} for name, views in CARD.models.items()}
    assert recall["model"] == {"all": pytest.approx((1 + 1 + 0) / 3), "new": pytest.approx((1 + 0) / 2)}
    assert recall["popularity"] == {"all": pytest.approx((0.5 + 0 + 0) / 3), "new": 0}
    assert CARD.models["model"]["all"]["spend_share"].value == pytest.approx(2 / 3)
    assert CARD.models["popularity"]["all"]["spend_share"].value == pytest.approx(0.75 / 3)


def test_users_who_took_nothing_new_have_no_value_on_what_is_new():
    assert (CARD.users, CARD.models["model"]["all"]["recall"].n, CARD.models["model"]["new"]["recall"].n) == (3, 3, 2)


def test_differences_are_of_the_model_minus_each_rival_on_the_metric():
    assert list(CARD.differences) == ["popularity"]
    found = CARD.differences["popularity"]
    assert (found["all"].value, found["all"].n) == (pytest.approx((0.5 + 1 + 0) / 3), 3)
    assert (found["new"].value, found["new"].n) == (pytest.approx(1 / 2), 2)
    assert CARD.metric == "recall"


def test_a_slice_of_users_is_judged_on_its_users_alone():
    found = CARD.slices["first"]
    assert (found["model"].value, found["model"].n) == (1, 1)
    assert (found["popularity"].value, found["popularity"].n) == (0.5, 1)


def test_a_slice_of_items_has_its_items_as_the_only_answers():
    found = CARD.slices["item 2"]
    assert (found["model"].value, found["model"].n) == (1, 1)
    assert found["popularity"].value == 1
    assert CARD.item_slices == ("item 2",)


def test_metrics_of_the_catalogue_stand_beside_those_of_users():
    assert CARD.models["model"]["all"]["coverage"] == Estimate(0.75, 0.75, 0.75, 3)
    assert {*PER_USER, "coverage", "gini", "novelty"} == set(CARD.models["model"]["new"])


def test_one_row_a_user_model_and_view_is_kept():
    assert TABLE.height == 3 * 2 * 2
    assert TABLE.filter(model="model", view="all").sort("user").select("user", "recall").rows() == [
        (11, 1),
        (12, 1),
        (13, 0),
    ]


def test_it_comes_back_byte_equal(tmp_path):
    CARD.save(tmp_path)
    again = Scorecard.load(tmp_path)
    assert again.dumps() == CARD.dumps() == (tmp_path / "scorecard.json").read_text()
    assert replace(again, facts={}, slices={}) == replace(CARD, facts={}, slices={})


def test_the_same_inputs_give_the_same_bytes():
    again = scored(calibration=(Bin(0.1, 0.2, 3),), champion="abc")
    assert again[0].dumps() == CARD.dumps()
    assert again[1].equals(TABLE, null_equal=True)


@pytest.mark.parametrize(("now", "other"), [('"k": 2', '"k": 20'), (PROTOCOL.hash, "0" * 12)])
def test_figures_under_another_protocol_than_they_name_are_refused(tmp_path, now, other):
    CARD.save(tmp_path)
    text = (tmp_path / "scorecard.json").read_text()
    (tmp_path / "scorecard.json").write_text(text.replace(now, other))
    with pytest.raises(BadData, match="cannot stand in one table"):
        Scorecard.load(tmp_path)


def test_figures_that_nobody_has_are_null_in_a_file_that_any_reader_of_json_takes(tmp_path):
    CARD.save(tmp_path)
    raw = json.loads((tmp_path / "scorecard.json").read_text(), parse_constant=pytest.fail)
    assert raw["slices"]["nobody"]["model"] == {"value": None, "low": None, "high": None, "n": 0}
    assert np.isnan(Scorecard.load(tmp_path).slices["nobody"]["model"].value)


def test_a_tracker_gets_finite_figures_with_their_bounds():
    flat = CARD.flat()
    assert flat["model.all.recall"] == pytest.approx(2 / 3)
    assert flat["model.all.recall.low"] < 2 / 3 < flat["model.all.recall.high"]
    assert (flat["auc"], "odd" in flat, "model.all.coverage.low" in flat) == (0.75, False, False)
    assert np.isfinite(list(flat.values())).all()


def test_slices_of_fewer_users_than_k_are_withheld_by_name(tmp_path):
    # first: 1 user, item 2: the 1 user who took it, nobody: 0
    assert CARD.of_groups(1).withheld == ("nobody",)
    found = CARD.of_groups(2)
    assert (found.slices, found.item_slices, found.withheld) == ({}, (), ("first", "item 2", "nobody"))
    found.save(tmp_path)
    assert Scorecard.load(tmp_path).withheld == ("first", "item 2", "nobody")
