import json
import shutil

import numpy as np
import pytest

from recloop.config import Config, DataConfig, EvaluationConfig, SplitConfig, TrainerConfig
from recloop.data.windows import DAY
from recloop.evaluation.compare import compare
from recloop.evaluation.metrics import per_user
from recloop.models.task import past_of
from recloop.models.two_stage import TwoStage
from shop_datasets import END, MODEL, SPLIT, canonical, dataset, fit

CONFIG = Config(
    scenario="shop",
    data=DataConfig(),
    split=SPLIT,
    model=MODEL,
    trainer=TrainerConfig(threads=1),
    evaluation=EvaluationConfig(k=5, bootstrap=100, baselines=("popularity", "item_knn")),
)


@pytest.fixture(scope="module")
def data():
    return dataset(canonical())


@pytest.fixture(scope="module")
def places(data, tmp_path_factory):
    """Folders of the dataset and of the model."""
    place = tmp_path_factory.mktemp("compare")
    (place / "dataset").mkdir()
    data.save(place / "dataset")
    return place / "dataset", fit(data, place)


def compared(places, champion=None, told=None):
    return compare(
        *places,
        champion=champion,
        config=CONFIG,
        facts={"auc": 0.75},
        progress=lambda what, share: None if told is None else told.append((what, share)),
    )


@pytest.fixture(scope="module")
def card(places):
    return compared(places)[0]


def test_the_model_stands_beside_every_baseline_on_the_protocol_of_the_config(card, data):
    assert list(card.models) == ["model", "popularity", "item_knn"]
    assert (card.protocol.k, card.protocol.kind, card.protocol.min_item_events) == (
        5,
        "temporal",
        SPLIT.min_item_events,
    )
    assert card.protocol.end == int(END.timestamp())
    assert card.protocol.start == card.protocol.end - SPLIT.test_days * DAY
    assert card.users == len(data.truth(data.test))


@pytest.mark.parametrize("view", ["all", "new"])
def test_each_view_is_ranked_with_or_without_what_was_taken_before(card, places, data, view):
    truth = data.truth(data.test)
    ranked = TwoStage.load(places[1]).recommend(past_of(data, data.test, truth.users), k=5, exclude_seen=view == "new")
    wanted = truth.new | (view == "all")
    own = per_user(ranked.items, truth.rows[wanted], truth.items[wanted], truth.spend[wanted])
    assert card.models["model"][view]["ndcg"].value == pytest.approx(np.nanmean(own["ndcg"]))


def test_facts_are_what_the_fit_said_and_what_the_baselines_were_tuned_to(card):
    assert set(card.facts) == {"auc", "popularity_days", "test_days_seen"}
    assert (card.facts["auc"], card.facts["test_days_seen"]) == (0.75, 0)


def test_a_model_that_learnt_from_the_test_window_is_told_in_days(places, data, tmp_path):
    late = shutil.copytree(places[1], tmp_path / "late")
    facts = json.loads((late / "model.json").read_text())
    (late / "model.json").write_text(json.dumps(facts | {"learnt_until": data.test.as_of + 3 * DAY}))
    assert compared((places[0], late))[0].facts["test_days_seen"] == 3


def test_a_model_that_does_not_say_what_it_learnt_from_has_no_such_fact(places, tmp_path):
    silent = shutil.copytree(places[1], tmp_path / "silent")
    facts = json.loads((silent / "model.json").read_text())
    facts.pop("learnt_until")
    (silent / "model.json").write_text(json.dumps(facts))
    assert "test_days_seen" not in compared((places[0], silent))[0].facts


def test_the_same_model_as_champion_differs_by_exactly_nothing(places):
    found = compared(places, champion=(places[1], "d1"))[0]
    assert found.champion == "d1"
    assert {(e.value, e.low, e.high) for e in found.differences["champion"].values()} == {(0, 0, 0)}


def test_a_champion_that_knows_fewer_items_ranks_those(places, data, tmp_path):
    smaller = dataset(canonical(), SplitConfig(test_days=SPLIT.test_days, min_item_events=60))
    champion = fit(smaller, tmp_path)
    assert TwoStage.load(champion).n_codes < data.catalogue.height + 1
    found = compared(places, champion=(champion, "d1"))[0]
    assert 0 < found.models["champion"]["all"]["ndcg"].value <= 1
    assert found.models["champion"]["all"]["ndcg"].n == found.users


def test_the_same_inputs_give_the_same_bytes(places, card):
    assert compared(places)[0].dumps() == card.dumps()


def test_progress_names_who_ranks(places):
    told = []
    compared(places, told=told)
    assert told == [("ranking by model", 0), ("ranking by popularity", 1 / 3), ("ranking by item_knn", 2 / 3)]


def test_both_views_in_one_pass_are_those_of_two(places, data):
    model = TwoStage.load(places[1])
    past = past_of(data, data.test)
    for once, seen in zip(model.recommend_twice(past, k=5), (False, True), strict=True):
        apart = model.recommend(past, k=5, exclude_seen=seen)
        assert np.array_equal(once.items, apart.items)
        assert np.array_equal(once.origins, apart.origins)
        np.testing.assert_allclose(once.scores, apart.scores, rtol=1e-5)
