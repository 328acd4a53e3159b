import numpy as np
import pytest

from fits import histories_of
from recloop.models.cooccurrence import item_vectors

ROWS = [[1, 2, 3], [3, 2, 1], [4, 5, 6], [6, 4, 5], [1, 3], [5, 6]]


def vectors(*rows, n_codes=9, dim=4, scale=0.1):
    return item_vectors(histories_of(*rows), n_codes=n_codes, dim=dim, scale=scale)


def test_items_that_lie_near_each_other_get_near_vectors():
    found = vectors(*ROWS)
    alike = found @ found.T
    assert alike[1, 2:4].min() > alike[1, 4:7].max() + 1e-3
    assert alike[4, 5:7].min() > alike[4, 1:4].max() + 1e-3


def test_items_without_a_neighbour_and_padding_are_zero():
    found = vectors(*ROWS, [8])
    assert not found[[0, 7, 8]].any()


def test_the_scale_is_the_root_mean_square():
    assert np.sqrt(np.mean(vectors(*ROWS, scale=0.3)[1:7] ** 2)) == pytest.approx(0.3, rel=1e-5)


def test_users_are_not_neighbours_of_each_other():
    assert not vectors([1], [2], [3]).any()


def test_more_dimensions_than_items_are_zero():
    found = vectors(*ROWS, dim=20)
    assert found.shape == (9, 20)
    assert not found[:, 8:].any()


def test_the_same_histories_give_the_same_bytes():
    assert vectors(*ROWS).tobytes() == vectors(*ROWS).tobytes()
