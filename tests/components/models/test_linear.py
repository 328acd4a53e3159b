import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from frames import histories
from recloop.config import CandidatesConfig
from recloop.data.habits import habits
from recloop.errors import BadArtifact
from recloop.models.linear import FILE, fit_linear

N = 8
PAST = histories([(1, 5), (2, 4), (3, 3)], [(1, 5), (2, 4)], [(4, 9), (5, 8)], [(4, 2), (5, 2), (1, 1)], [])


def fitted(**settings):
    config = CandidatesConfig(**({"linear_items": 10, "linear_weights": 10, "linear_l2": 0.5} | settings))
    return fit_linear(PAST, n_codes=N, config=config)


def scored(model, past=PAST):
    """Scores of every pair. [n, N]"""
    rows, items = np.divmod(np.arange(len(past) * N), N)
    return model.at(rows, items, habit=habits(past, N), n=len(past)).reshape(len(past), N)


def strengths(past=PAST):
    taken = np.zeros((len(past), N))
    habit = habits(past, N)
    taken[habit.rows, habit.items] = np.log1p(np.log1p(habit.decayed[2]))
    return taken


def test_whole_it_is_the_closed_form():
    inverse = np.linalg.inv(strengths().T @ strengths() + 0.5 * np.eye(N))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    assert scored(fitted()) == pytest.approx(strengths() @ expected, abs=1e-5)


def test_the_head_holds_the_items_with_most_buyers():
    assert fitted(linear_items=3).head.tolist() == [1, 2, 4]
    assert not scored(fitted(linear_items=3))[:, [3, 5, 6, 7]].any()


def test_the_largest_weights_by_size_are_kept():
    whole, cut = fitted().weights.toarray(), fitted(linear_weights=2).weights.toarray()
    least = np.sort(np.abs(whole), axis=1)[:, -2][:, None]
    assert cut == pytest.approx(np.where(np.abs(whole) >= least, whole, 0))


def test_without_an_item_nothing_is_scored():
    assert not scored(fitted(linear_items=0)).any()


def test_what_is_saved_is_read_back(tmp_path):
    model = fitted()
    model.save(tmp_path / FILE)
    assert scored(type(model).load(tmp_path / FILE)).tolist() == scored(model).tolist()


@pytest.mark.parametrize("name", ["head", "places", "values"])
def test_a_table_that_cannot_be_is_refused(tmp_path, name):
    model = fitted()
    model.save(tmp_path / FILE)
    spoilt = {"head": model.head[::-1].copy(), "places": model.places + 9, "values": model.values * np.float32(np.nan)}
    save_file(load_file(tmp_path / FILE) | {name: spoilt[name]}, tmp_path / FILE)
    with pytest.raises(BadArtifact, match="out of order or beyond its own"):
        type(model).load(tmp_path / FILE)
