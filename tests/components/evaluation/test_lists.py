import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames import histories
from recloop.evaluation.lists import (
    SMOOTHING,
    diversity,
    mean_popularity,
    miscalibration,
    popularity_lift,
    serendipity,
)

CATEGORIES = np.array([0, 1, 1, 2, 0, 3], dtype=np.int32)
POPULARITY = np.array([0, 5, 1, 3, 0, 1], dtype=np.float32)


def lists(*rows):
    return np.array(rows, dtype=np.int32)


def test_diversity_is_the_share_of_pairs_of_two_categories():
    assert diversity(lists([1, 2, 3], [1, 2, 0], [3, 5, 0]), CATEGORIES).tolist() == pytest.approx([2 / 3, 0, 1])


def test_diversity_is_unknown_where_fewer_than_two_items_have_a_category():
    assert np.isnan(diversity(lists([1, 4, 0], [0, 0, 0]), CATEGORIES)).all()


def test_a_hit_is_serendipitous_only_where_the_popular_list_would_not_have_been_one():
    shown = lists([1, 2], [2, 5])
    hit = np.array([[True, True], [True, False]])
    # the two most popular items are 1 and 3
    assert serendipity(shown, hit, POPULARITY).tolist() == [0.5, 0.5]


def test_mean_popularity_is_over_the_items_that_are_shown():
    found = mean_popularity(lists([1, 3], [1, 0], [0, 0]), POPULARITY)
    assert found[:2].tolist() == pytest.approx([0.4, 0.5])
    assert np.isnan(found[2])


def test_popularity_lift_is_relative_to_the_users_own_history():
    past = histories([(2, 3), (2, 2)], [(1, 1)], [])
    found = popularity_lift(lists([1, 3], [1, 0], [1, 0]), past, POPULARITY)
    assert found[:2].tolist() == pytest.approx([3.0, 0.0])
    assert np.isnan(found[2])


def test_miscalibration_by_hand():
    past = histories([(1, 3), (2, 2), (3, 1)])
    found = miscalibration(lists([3, 3]), past, CATEGORIES)
    p, q = np.array([2 / 3, 1 / 3]), np.array([0.0, 1.0])
    assert found[0] == pytest.approx((p * np.log(p / ((1 - SMOOTHING) * q + SMOOTHING * p))).sum())


def test_a_list_like_the_history_is_calibrated():
    past = histories([(1, 3), (3, 1)])
    assert miscalibration(lists([2, 3]), past, CATEGORIES)[0] == pytest.approx(0)


def test_miscalibration_is_unknown_without_categories_on_either_side():
    past = histories([(4, 1)], [(1, 1)], [])
    assert np.isnan(miscalibration(lists([1, 2], [4, 4], [1, 2]), past, CATEGORIES)).all()


@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_vectorised_diversity_equals_the_sum_over_pairs(rows):
    found = diversity(lists(*rows), CATEGORIES)
    for row, value in zip(rows, found, strict=True):
        kinds = [CATEGORIES[i] for i in row if CATEGORIES[i] > 0]
        pairs = [(a, b) for n, a in enumerate(kinds) for b in kinds[n + 1 :]]
        expected = np.mean([a != b for a, b in pairs]) if pairs else np.nan
        assert value == pytest.approx(expected, nan_ok=True)


@given(
    st.lists(st.tuples(st.lists(st.integers(1, 5), max_size=5), st.lists(st.integers(1, 5), min_size=3, max_size=3)))
)
@settings(max_examples=60, deadline=None)
def test_miscalibration_is_never_negative(users):
    past = histories(*([(item, len(row) - n) for n, item in enumerate(row)] for row, _ in users))
    found = miscalibration(np.array([r for _, r in users], dtype=np.int32).reshape(-1, 3), past, CATEGORIES)
    assert not (found < -1e-12).any()
