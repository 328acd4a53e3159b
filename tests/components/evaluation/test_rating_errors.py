"""Errors of ratings and their folds."""

import numpy as np
import pytest

from recloop.errors import BadData
from recloop.evaluation.ratings import errors, folds


def test_errors_are_root_mean_square_and_mean_absolute():
    assert errors(np.array([1.0, 5.0]), np.array([1.0, 1.0])) == {"rmse": pytest.approx(8**0.5), "mae": 2.0}


def test_nothing_to_compare_is_told():
    with pytest.raises(BadData, match="0 predictions"):
        errors(np.zeros(0), np.zeros(0))


def test_each_rating_is_in_one_fold_and_a_seed_repeats_them():
    masks = np.array(list(folds(11, 5, seed=1)))
    assert (masks.sum(axis=0) == 1).all()
    assert sorted(masks.sum(axis=1)) == [2, 2, 2, 2, 3]
    assert np.array_equal(masks, list(folds(11, 5, seed=1)))
