import numpy as np
import pytest

from contracts import check_recommender
from frames import histories
from recloop.config import AlsConfig
from recloop.models.als import Als, als_factors

N = 9
CONFIG = AlsConfig(dim=3, rounds=8, l2=0.1, alpha=5.0)
PAST = histories(
    *[[(1, 4), (2, 3), (3, 2)], [(1, 5), (3, 4)], [(2, 5), (3, 4)]],
    *[[(5, 4), (6, 3), (7, 2)], [(5, 5), (7, 4), (7, 1)], [(6, 5), (7, 4)], []],
)


def fitted(seed=1):
    return Als(als_factors(PAST, n_codes=N, config=CONFIG, seed=seed, tell=lambda what, share: None), CONFIG)


def test_users_are_solved_for_as_equation_four_says():
    model = fitted()
    found = model.users(PAST)
    y = model.factors.astype(np.float64)
    for n in range(len(PAST)):
        count = np.bincount(PAST.items[PAST.offsets[n] : PAST.offsets[n + 1]], minlength=N)
        confidence = np.diag(1 + CONFIG.alpha * count)
        left = y.T @ confidence @ y + CONFIG.l2 * np.eye(3)
        assert found[n] == pytest.approx(np.linalg.solve(left, y.T @ confidence @ (count > 0)), abs=1e-4)


def test_users_are_the_same_as_those_of_the_library():
    from implicit.als import AlternatingLeastSquares

    from recloop.models.als import taken

    confidence = taken(PAST, N, CONFIG.alpha)
    confidence.data += 1
    model = fitted()
    peer = AlternatingLeastSquares(factors=3, regularization=CONFIG.l2, iterations=1, num_threads=1, use_gpu=False)
    peer.item_factors = model.factors
    assert model.users(PAST)[:6] == pytest.approx(peer.recalculate_user(np.arange(6), confidence[:6]), abs=1e-2)


def test_a_stranger_gets_items_of_the_own_kind():
    found = fitted().recommend(histories([(1, 1)], [(6, 1)]), k=1, exclude_seen=True).items
    assert found[0, 0] in (2, 3)
    assert found[1, 0] in (5, 7)


def test_an_item_that_nobody_took_scores_nothing():
    assert not fitted().factors[[0, 4, 8]].any()


def test_a_seed_gives_the_same_factors_and_another_seed_others():
    assert np.array_equal(fitted().factors, fitted().factors)
    assert not np.array_equal(fitted().factors, fitted(seed=2).factors)


def test_it_meets_the_contract():
    check_recommender(fitted(), PAST, N)
