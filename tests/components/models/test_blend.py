import numpy as np
import pytest
from scipy.optimize import check_grad

from recloop.errors import BadData
from recloop.models.blend import Blend, Choices, _Loss, _telling, bucket, fit_blend


def choices(n=400, width=6, seed=0, edges=(5,)):
    """What is taken follows part 0 for short histories and part 1 for long ones; part 2 is noise in great units."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 10, n)
    scores = rng.normal(size=(n, width, 3)).astype(np.float32) * np.array([1, 1, 100], dtype=np.float32)
    guide = np.where((lengths > edges[0])[:, None], scores[:, :, 1], scores[:, :, 0])
    taken = guide * 3 + rng.gumbel(size=(n, width))
    taken = taken == taken.max(axis=1, keepdims=True)
    return Choices(np.arange(n + 1) * width, scores.reshape(-1, 3), taken.ravel(), lengths)


def test_a_length_on_the_edge_belongs_below_it():
    assert bucket(np.array([0, 5, 6, 10, 11]), (5, 10)).tolist() == [0, 0, 1, 1, 2]
    assert bucket(np.array([3, 99]), ()).tolist() == [0, 0]


def test_weights_are_learnt_by_length_in_the_units_of_the_parts():
    blend, loss = fit_blend(choices(), edges=(5,), l2=1e-4)
    short, long = blend.weights
    assert short[0] > 2 * abs(short[1]) + 1
    assert long[1] > 2 * abs(long[0]) + 1
    assert np.abs(blend.weights[:, 2]).max() < 0.02
    assert loss < np.log(6)


def test_each_row_gets_the_weights_of_its_length():
    blend = Blend(np.array([[1, 2], [3, 4]], dtype=np.float32), (5,))
    assert blend.of(np.array([9, 1])).tolist() == [[3, 4], [1, 2]]


def test_the_gradient_is_that_of_the_loss():
    some = choices(n=20)
    loss = _Loss(some, some.scores / 10, bucket(some.lengths, (5,)), 0.01, (3, 3))
    at = np.random.default_rng(1).normal(size=9)
    assert check_grad(lambda x: loss(x)[0], lambda x: loss(x)[1], at, epsilon=1e-4) < 1e-2


def test_several_taken_items_share_one_vote():
    scores = np.array([[1.0], [1.0], [0.0]], dtype=np.float32)
    two = Choices(np.array([0, 3]), scores, np.array([True, True, False]), np.array([3]))
    loss = _Loss(two, scores, np.array([0]), 0.0, (2, 1))
    at = np.array([1.0, 0.0])
    assert loss(at)[0] == pytest.approx(np.log(2 * np.e + 1) - 1, abs=1e-6)


def test_users_who_took_no_candidate_teach_nothing():
    scores = np.arange(5, dtype=np.float32)[:, None]
    some = Choices(np.array([0, 2, 2, 5]), scores, np.array([False, False, True, False, False]), np.array([1, 2, 3]))
    kept = _telling(some)
    assert kept.offsets.tolist() == [0, 3]
    assert kept.scores.ravel().tolist() == [2, 3, 4]
    assert kept.lengths.tolist() == [3]


def test_nobody_who_took_what_was_offered_is_said_so():
    offered = Choices(np.array([0, 2]), np.ones((2, 1), np.float32), np.zeros(2, bool), np.array([3]))
    with pytest.raises(BadData, match="nobody took an item that a part proposed"):
        fit_blend(offered, edges=(), l2=0.1)
