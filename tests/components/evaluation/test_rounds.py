import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

import shop_datasets
from frames import canonical, items
from recloop.config import SplitConfig, TrainerConfig
from recloop.errors import BadConfig, BadData
from recloop.evaluation.folds import folds
from recloop.evaluation.metrics import PER_USER
from recloop.evaluation.rounds import Round, fit_round, judge_round, numbers

ROUND = Round(
    name="knn",
    kind="item_knn",
    seed=3,
    fold=0,
    k=5,
    repeats=False,
    protocol="abc",
    model=shop_datasets.MODEL.model_dump(mode="json"),
    trainer=TrainerConfig(threads=1).model_dump(mode="json"),
)


@pytest.fixture(scope="module")
def data():
    return shop_datasets.dataset(shop_datasets.canonical())


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("round")
    for name in ("out", "work"):
        (folder / name).mkdir()
    costs = fit_round(ROUND, data, out=folder / "out", work=folder / "work")
    assert set(costs) == {"fit_seconds", "fit_cpu_seconds"}
    return folder / "out"


def test_a_round_gives_one_row_a_user_and_every_metric(data, model):
    frame, catalogue, costs = judge_round(ROUND, data, model)
    assert set(PER_USER) | {"user", "diversity", "serendipity", "miscalibration", "popularity_lift"} <= set(
        frame.columns
    )
    assert frame["user"].is_unique().all()
    assert frame["user"].str.starts_with("c").all()
    assert 0 < catalogue["coverage"] <= 1
    assert costs["parameters"] > 0
    assert costs["milliseconds"] > 0


def test_with_repeats_habits_are_answers_too(data, model):
    new = judge_round(ROUND, data, model)[0]
    every = judge_round(replace(ROUND, repeats=True), data, model)[0]
    assert every.height > new.height
    # most answers are habits, which are found only where they may be shown
    assert every["precision"].mean() > 2 * new["precision"].mean()


def test_a_rehearsal_asks_other_questions(data, model):
    tested = judge_round(ROUND, data, model)[0]
    rehearsed = judge_round(replace(ROUND, rehearsed=True), data, model)[0]
    assert tested["ndcg"].to_list() != rehearsed["ndcg"].to_list()


def test_every_field_changes_the_hash():
    others = [
        replace(ROUND, kind="ease"),
        replace(ROUND, seed=4),
        replace(ROUND, fold=1),
        replace(ROUND, protocol="def"),
        replace(ROUND, model=ROUND.model | {"ease": {"l2": 1.0}}),
        replace(ROUND, trainer=ROUND.trainer | {"precision": "16"}),
    ]
    assert len({ROUND.hash, *(o.hash for o in others)}) == 7


def test_numbers_are_counted_from_headers_and_only_floating_ones(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((3, 4), np.float32))
    np.save(tmp_path / "b.npy", np.ones(5, np.int32))
    save_file({"w": np.ones((2, 3), np.float32), "codes": np.ones(7, np.int64)}, tmp_path / "c.safetensors")
    (tmp_path / "d.json").write_text("{}")
    assert [numbers(p) for p in sorted(tmp_path.iterdir())] == [12, 0, 6, 0]


def test_where_nobody_took_anything_new_the_round_is_refused(model):
    rows = canonical([(user, "x", day) for user in "ab" for day in (0, 7)])
    (habits,) = folds(rows, items(["x"]), SplitConfig(test_days=2, min_item_events=1), protocol="temporal")
    with pytest.raises(BadData, match="Nobody can be judged"):
        judge_round(ROUND, habits, model)


@pytest.mark.parametrize("name", ["devices", "num_nodes"])
def test_several_devices_are_refused(name):
    with pytest.raises(BadConfig, match=rf"on one device of one node, and .*trainer\.{name} is 2"):
        replace(ROUND, trainer=ROUND.trainer | {name: 2})


def test_vectors_beside_the_weights_that_give_them_are_counted_once(tmp_path, data, model):
    copied = shutil.copytree(model, tmp_path / "model")
    np.save(copied / "item_vectors.npy", np.ones((5, 2), np.float32))
    assert judge_round(ROUND, data, copied)[2]["parameters"] == 10
    save_file({"items": np.ones((5, 2), np.float32), "bias": np.ones(3, np.float32)}, copied / "sasrec.safetensors")
    assert judge_round(ROUND, data, copied)[2]["parameters"] == 13
