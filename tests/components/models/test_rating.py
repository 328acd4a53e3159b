"""Biases, Bayesian factors and features of ratings, on made-up tastes."""

import numpy as np
import pytest

from recloop.errors import BadData
from recloop.models.rating import Biases, Ratings, Sides
from recloop.models.rating_factors import fit_factors
from recloop.models.rating_features import Known, by_user, features
from tastes import NO, SHAPE, rmse, tastes


def test_no_rating_is_told():
    with pytest.raises(BadData, match="no rating"):
        Ratings(*(np.zeros(0, dtype=np.int64),) * 4)


def test_biases_are_shrunk_means():
    one = Ratings(np.array([0, 0]), np.array([0, 1]), np.array([5.0, 3.0]), np.array([0, 1]))
    found = Biases.fit(one, (2, 3), user_shrink=5, item_shrink=1e9)
    assert found.mean == 4
    assert np.allclose(found.users, 0, atol=1e-6)
    lone = Biases.fit(one, (2, 3), user_shrink=1e9, item_shrink=1.0)
    np.testing.assert_allclose(lone.items, [0.5, -0.5, 0], atol=1e-6)


def test_factors_learn_what_biases_cannot():
    past, future = tastes()
    factors = fit_factors(past, SHAPE, dim=2, rounds=40, burn=10, seed=1)
    assert rmse(Biases.fit(past, SHAPE), future) > 0.9
    assert rmse(factors, future) < 0.3


def test_factors_are_less_sure_of_what_they_never_saw():
    past, future = tastes()
    seen = past.take((past.users != 4) & (past.items != 3))
    factors = fit_factors(seen, SHAPE, dim=2, rounds=40, burn=10, seed=1)
    unsure = factors.spread(np.array([4]), np.array([3]))[1][0]
    assert unsure > 2 * factors.spread(future.users, future.items)[1].mean()


def test_factors_of_a_seed_are_the_same():
    past, _ = tastes()
    first, second = (fit_factors(past, SHAPE, dim=2, rounds=6, burn=2, seed=4) for _ in range(2))
    assert np.array_equal(first.users, second.users)
    assert first.users.shape == (4, 30, 3)


def known(past):
    past = by_user(past)
    return Known(past, Biases.fit(past, SHAPE), None)


def test_features_see_no_rating_that_is_not_known():
    past, future = tastes()
    first = features(known(past), NO, "both", future.users, future.items, future.times)
    other = Ratings(future.users, future.items, 5 - future.values, future.times)
    second = features(known(past), NO, "both", other.users, other.items, other.times)
    assert np.array_equal(first[1], second[1])


def test_past_moods_do_not_see_later_ratings():
    past, future = tastes()
    moment = int(np.median(past.times))
    early, later = future.take(future.times < moment), past.times > moment
    shared = known(past)
    changed = Ratings(
        shared.ratings.users,
        shared.ratings.items,
        shared.ratings.values + 2.0 * (shared.ratings.times > moment),
        shared.ratings.times,
    )
    assert later.any()
    after = Known(changed, shared.biases, None)
    columns = {}
    for moods in ("none", "past", "both"):
        pair = [features(k, NO, moods, early.users, early.items, early.times)[1] for k in (shared, after)]
        columns[moods] = int((pair[0] != pair[1]).any(axis=0).sum())
    assert columns["past"] == columns["none"]
    assert columns["both"] > columns["past"]


def test_moods_follow_the_users_own_last_ratings():
    times = np.array([0, 60, 120, 0, 60, 120])
    past = Ratings(np.array([0, 0, 0, 1, 1, 1]), np.arange(6), np.array([5.0, 5, 5, 1, 1, 1]), times)
    flat = Known(past, Biases(3.0, np.zeros(30), np.zeros(25)), None)
    wide = features(flat, NO, "past", np.array([0, 1, 2]), np.array([9, 9, 9]), np.array([180, 180, 180]))[1]
    without = features(flat, NO, "none", np.array([0, 1, 2]), np.array([9, 9, 9]), np.array([180, 180, 180]))[1]
    mood = wide[:, without.shape[1] - 1]
    assert mood[0] > 1
    assert mood[1] < -1
    assert mood[2] == 0


def test_tastes_are_of_the_items_traits():
    traits = np.zeros((25, 2), np.float32)
    traits[:10, 0], traits[10:, 1] = 1, 1
    past = Ratings(
        np.zeros(8, dtype=np.int64), np.array([0, 1, 2, 3, 10, 11, 12, 13]), np.repeat([5.0, 1.0], 4), np.arange(8)
    )
    sides = Sides(np.zeros((30, 0), np.float32), traits)
    flat = Known(past, Biases(3.0, np.zeros(30), np.zeros(25)), None)
    wide = features(flat, sides, "none", np.array([0, 0]), np.array([5, 20]), np.array([9, 9]))[1]
    taste = wide[:, -3]
    assert taste[0] > 0.5
    assert taste[1] < -0.5
