import numpy as np
import pytest

from contracts import check_recommender
from frames import histories
from recloop.config import EaseConfig
from recloop.errors import BadData
from recloop.models.counts import tie_breaker
from recloop.models.ease import Ease, ease_weights

N = 8
PAST = histories([(1, 5), (2, 4), (3, 3)], [(1, 5), (2, 4)], [(4, 9), (5, 8)], [(4, 2), (5, 2), (1, 1)], [])


def fitted(**settings):
    config = EaseConfig(**({"l2": 0.5} | settings))
    return Ease(ease_weights(PAST, n_codes=N, config=config), tie_breaker(PAST, N), config)


def test_it_is_the_closed_form():
    taken = np.zeros((5, N))
    taken[PAST.rows, PAST.items] = 1
    inverse = np.linalg.inv(taken.T @ taken + 0.5 * np.eye(N))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    assert fitted().weights == pytest.approx(expected, abs=1e-5)


def test_the_weights_minimise_the_ridge_loss_column_by_column():
    taken = np.zeros((5, N))
    taken[PAST.rows, PAST.items] = 1
    weights = fitted().weights.astype(np.float64)
    slope = taken.T @ (taken @ weights - taken) + 0.5 * weights
    np.fill_diagonal(slope, 0)  # the diagonal is held at 0, not free
    assert slope == pytest.approx(np.zeros((N, N)), abs=1e-5)


def test_a_decay_weighs_the_newest_events_most():
    newest_five = histories([(1, 2), (5, 1)])
    even, fading = fitted().scores(newest_five)[0], fitted(decay=0.1).scores(newest_five)[0]
    weights = fitted().weights
    assert even == pytest.approx(weights[1] + weights[5], abs=1e-5)
    assert fading == pytest.approx(0.1 * weights[1] + weights[5], abs=1e-5)


def test_an_item_that_nobody_took_has_no_weight():
    weights = fitted().weights
    assert not weights[7].any()
    assert not weights[:, 7].any()


def test_a_catalogue_too_large_is_refused_with_its_size():
    with pytest.raises(BadData, match=r"5 items take .* allows 4"):
        ease_weights(PAST, n_codes=N, config=EaseConfig(most_items=4))


def test_it_meets_the_contract():
    check_recommender(fitted(), PAST, N)
