from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

import shop_datasets
from recloop.config import TrainerConfig
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
