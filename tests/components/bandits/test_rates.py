import numpy as np
import pytest

from recloop.bandits.rates import crossed, folds_of, rates


def rows(n, chance, seed=0):
    rng = np.random.default_rng(seed)
    items = rng.integers(0, len(chance), n)
    return items, np.zeros(n, np.int64), (rng.random(n) < np.array(chance)[items]).astype(float)


def test_items_that_differ_by_chance_alone_get_nearly_one_rate():
    found = rates(*rows(2_000, [0.3] * 20), n_items=20, n_positions=1)
    assert np.ptp(found) < 0.1
    assert found.mean() == pytest.approx(0.3, abs=0.03)


def test_items_that_differ_keep_their_rates():
    found = rates(*rows(20_000, [0.1, 0.5, 0.9]), n_items=3, n_positions=1)
    np.testing.assert_allclose(found[:, 0], [0.1, 0.5, 0.9], atol=0.02)


def test_an_item_never_shown_gets_the_mean():
    items, positions, rewards = rows(9_000, [0.1, 0.5, 0.9])
    found = rates(items, positions, rewards, n_items=4, n_positions=1)
    assert found[3, 0] == pytest.approx(rewards.mean())


def test_rows_taken_twice_show_no_more_differences_than_once():
    items, positions, rewards = rows(2_000, [0.3] * 20)
    once = rates(items, positions, rewards, n_items=20, n_positions=1)
    twice = rates(items, positions, rewards, n_items=20, n_positions=1, counts=np.full(2_000, 2.0))
    np.testing.assert_allclose(once, twice)


def test_a_position_lifts_all_its_items():
    rng = np.random.default_rng(0)
    items, positions = rng.integers(0, 3, 30_000), rng.integers(0, 2, 30_000)
    chance = np.outer([0.2, 0.4, 0.6], [1, 0.5])
    rewards = (rng.random(30_000) < chance[items, positions]).astype(float)
    np.testing.assert_allclose(rates(items, positions, rewards, n_items=3, n_positions=2), chance, atol=0.03)


def test_no_reward_and_no_row_are_rates_of_zero():
    items, positions, rewards = rows(10, [0.5])
    assert (rates(items, positions, rewards * 0, n_items=1, n_positions=1) == 0).all()
    assert (rates(items, positions, rewards, n_items=1, n_positions=1, counts=np.zeros(10)) == 0).all()


def test_no_row_is_judged_by_its_own_fold():
    items, positions, rewards = rows(300, [0.2, 0.8])
    folds = folds_of(np.arange(300), n=3, seed=0)
    before = crossed(items, positions, rewards, folds, n_items=2, n_positions=1)
    flipped = np.where(folds == 1, 1 - rewards, rewards)
    after = crossed(items, positions, flipped, folds, n_items=2, n_positions=1)
    np.testing.assert_array_equal(before[1], after[1])
    assert (before[0] != after[0]).any()


def test_a_users_rows_share_a_fold_and_folds_are_even():
    clusters = np.repeat(np.arange(30), 4)
    folds = folds_of(clusters, n=3, seed=0)
    assert all(len(set(folds[clusters == c])) == 1 for c in range(30))
    assert np.bincount(folds).tolist() == [40, 40, 40]
