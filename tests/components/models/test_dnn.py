"""The network of ratings: learnt, saved, read and used without torch."""

import numpy as np
import pytest

from recloop.config import DNNConfig, TrainerConfig
from recloop.models.dnn import NET, STATE, load
from recloop.models.dnn_fit import fit_dnn, unseen
from recloop.models.rating import Biases
from recloop.models.rating_features import by_user
from tastes import NO, SHAPE, rmse, tastes

ALONE = DNNConfig(hidden=(16, 8), factors=0, embedding=4, epochs=25, batch=64, lr=0.05, dropout=0, l2=1e-3)
HYBRID = DNNConfig(hidden=(8,), factors=2, rounds=20, burn=5, epochs=5, batch=64, inner_folds=3)


def fit(place, ratings, config):
    (place / "out").mkdir(parents=True)
    (place / "work").mkdir()
    return fit_dnn(
        ratings, NO, config=config, trainer=TrainerConfig(threads=1), seed=2, out=place / "out", work=place / "work"
    )


@pytest.mark.parametrize("config", [ALONE, HYBRID], ids=["alone", "hybrid"])
def test_it_learns_what_biases_cannot_and_is_read_as_it_was(config, tmp_path):
    past, future = tastes()
    model = fit(tmp_path, past, config)
    assert rmse(model, future) < 0.5 * rmse(Biases.fit(past, SHAPE), future)
    again = load(tmp_path / "out")
    asked = future.users, future.items, future.times
    assert np.array_equal(model.predict(*asked), again.predict(*asked))


def test_predictions_stay_on_the_scale(tmp_path):
    past, _ = tastes(noise=1.0)
    model = fit(tmp_path, past, HYBRID)
    users, items = (grid.ravel() for grid in np.meshgrid(np.arange(30), np.arange(25)))
    found = model.predict(users, items, np.zeros(len(users), dtype=np.int64))
    assert past.values.min() <= found.min()
    assert found.max() <= past.values.max()


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    past, _ = tastes()
    for name in ("a", "b"):
        fit(tmp_path / name, past, HYBRID)
    for file in (NET, STATE):
        assert (tmp_path / "a" / "out" / file).read_bytes() == (tmp_path / "b" / "out" / file).read_bytes()


def test_no_row_has_a_part_in_its_own_features():
    past = by_user(tastes()[0])
    row = 100
    changed = past.values.copy()
    changed[row] += 3
    other = type(past)(past.users, past.items, changed, past.times)
    first, second = (unseen(ratings, NO, HYBRID, seed=1) for ratings in (past, other))
    assert first[0][row] == second[0][row]
    assert np.array_equal(first[1][row], second[1][row])
    assert not np.array_equal(first[1], second[1])
