import numpy as np
import pytest

from frames import histories
from recloop.config import Config, DataConfig, EvaluationConfig, ModelConfig, TrainerConfig
from recloop.evaluation import cold_start
from recloop.evaluation.cold_start import EVENTS, learn_router, shortened
from recloop.models.router import GENERAL, MODEL
from shop_datasets import SPLIT, canonical, dataset, fit

CONFIG = Config(
    scenario="shop",
    data=DataConfig(),
    split=SPLIT,
    model=ModelConfig(kind="popularity"),
    trainer=TrainerConfig(threads=1),
    evaluation=EvaluationConfig(k=5, bootstrap=100, baselines=("popularity",)),
)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    place = tmp_path_factory.mktemp("cold")
    (place / "dataset").mkdir()
    data = dataset(canonical())
    data.save(place / "dataset")
    return place / "dataset", fit(data, place, config=CONFIG.model)


@pytest.fixture(scope="module")
def router(places):
    return learn_router(*places, config=CONFIG)


def test_each_stretch_compares_every_source(router):
    assert tuple(stretch.events for stretch in router.stretches) == EVENTS
    assert all(set(stretch.chosen_by) == set(GENERAL) for stretch in router.stretches)


def test_strangers_get_no_source_that_knows_only_histories(router):
    nobody = router.stretches[0]
    assert nobody.chosen_by["item_knn"] == 0.0
    assert nobody.source != "item_knn"


def test_users_of_fewer_events_are_not_asked(places, monkeypatch):
    monkeypatch.setattr(cold_start, "EVENTS", (0, 10_000))
    nobody, most = learn_router(*places, config=CONFIG).stretches
    assert nobody.users > 0
    assert (most.users, most.source) == (0, MODEL)


def test_the_same_seed_learns_the_same_router(places, router):
    assert learn_router(*places, config=CONFIG) == router


def test_a_source_takes_over_only_where_it_is_better_beyond_doubt():
    model = np.full(200, 0.5)
    lucky = model + np.where(np.arange(200) % 2, 0.52, -0.5)
    assert lucky.mean() > model.mean()
    assert cold_start._best({MODEL: model, "popularity_7": lucky}, CONFIG) == MODEL
    assert cold_start._best({MODEL: model, "popularity_7": lucky, "item_knn": model + 0.005}, CONFIG) == "item_knn"


def test_a_shortened_history_keeps_its_last_events():
    rows = histories([(1, 30), (2, 20), (3, 10)], [(4, 5)])
    assert shortened(rows, 2).items.tolist() == [2, 3, 4]
    assert shortened(rows, 0).lengths.tolist() == [0, 0]
    assert shortened(rows, EVENTS[-1]).items.tolist() == [1, 2, 3, 4]
