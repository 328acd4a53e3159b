import numpy as np
import pytest

from recloop.errors import BadData
from recloop.evaluation.experiments.sample_ratio import TRUST, sequential

HALVES = np.array([0.5, 0.5])


def paths(chance, *, runs, looks, seed):
    """Users of two variants at every look. [runs, looks, 2]"""
    users = np.random.default_rng(seed).binomial(200, chance, (runs, looks)).cumsum(axis=1)
    return np.stack([users, 200 * np.arange(1, looks + 1) - users], axis=2).astype(float)


def test_a_fair_split_that_is_watched_is_hardly_ever_suspected():
    found = sequential(paths(0.5, runs=2_000, looks=100, seed=1), HALVES)
    assert (found < 0.05).any(axis=1).mean() <= 0.05


def test_a_split_of_52_to_48_is_found():
    found = sequential(paths(0.52, runs=100, looks=200, seed=2), HALVES)
    assert (found < TRUST).any(axis=1).mean() > 0.95


def test_the_shares_need_not_add_up_to_one():
    assert sequential(np.array([60.0, 40.0]), 100 * HALVES) == sequential(np.array([60.0, 40.0]), HALVES)


@pytest.mark.parametrize("counts", [[200.0, 100.0], [600.0, 400.0]])
def test_a_broken_split_of_some_hundred_users_is_found(counts):
    assert sequential(np.array(counts), HALVES) < TRUST


def test_a_count_without_a_share_is_refused():
    with pytest.raises(BadData, match="3 variants"):
        sequential(np.ones(3), HALVES)
