import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recloop.data.grouped import WIDE, Grouped, floor, top

KEYS = np.array([7, 3, 7, 5, 3, 7], dtype=np.int64)
VALUES = np.array([1, 2, 4, 8, 16, 32], dtype=np.float32)


def test_groups_ascend_by_key_and_members_keep_their_order():
    groups = Grouped.by(KEYS)
    assert groups.keys.tolist() == [3, 5, 7]
    assert groups.order.tolist() == [1, 4, 3, 0, 2, 5]
    assert groups.sum(VALUES).tolist() == [18, 8, 37]
    assert groups.first(VALUES).tolist() == [2, 8, 1]
    assert groups.last(VALUES).tolist() == [16, 8, 32]


def test_a_key_that_does_not_occur_is_not_found():
    at, there = Grouped.by(KEYS).find(np.array([5, 4, 99, 3]))
    assert there.tolist() == [True, False, False, True]
    assert at[there].tolist() == [1, 0]


def test_no_values_make_no_groups():
    groups = Grouped.by(np.zeros(0, dtype=np.int64))
    nothing = np.zeros(0, dtype=np.float32)
    assert [len(part) for part in (groups.keys, groups.sum(nothing), groups.first(nothing), groups.last(nothing))] == [
        0
    ] * 4
    assert groups.find(np.array([1]))[1].tolist() == [False]


def test_a_great_value_does_not_swallow_small_ones():
    values = np.array([1, 2.0**24, 1], dtype=np.float32)
    assert Grouped.by(np.zeros(3, dtype=np.int64)).sum(values).tolist() == [2.0**24 + 2]


@given(st.lists(st.lists(st.integers(-3, 3), min_size=4, max_size=4), min_size=1, max_size=5), st.integers(0, 7))
def test_top_is_the_head_of_a_stable_sort(rows, k):
    values = np.array(rows, dtype=np.float32)
    assert top(values, k).tolist() == np.argsort(-values, axis=1, kind="stable")[:, :k].tolist()


def test_equals_at_the_last_place_are_taken_by_position():
    values = np.tile(np.array([0, 1, 0, 1, 1], dtype=np.float32), 40)[None]
    assert top(values, 3).tolist() == [[1, 3, 4]]
    assert top(np.zeros((1, 300), dtype=np.float32), 4).tolist() == [[0, 1, 2, 3]]


def test_equal_values_come_in_the_order_of_their_positions():
    assert top(np.array([[1, 5, 5, 0, 5]], dtype=np.float32), 4).tolist() == [[1, 2, 4, 0]]


@given(st.integers(0, 4), st.integers(1, 40), st.sampled_from([0, 1, 2]), st.integers(0, 9))
def test_top_of_a_wide_row_is_the_head_of_a_stable_sort_too(rows, k, decimals, seed):
    values = np.random.default_rng(seed).standard_normal((rows, WIDE + 77)).round(decimals).astype(np.float32)
    assert top(values, k).tolist() == np.argsort(-values, axis=1, kind="stable")[:, :k].tolist()


def test_negative_zero_and_zero_are_equals_in_a_wide_row():
    values = np.full((1, WIDE), -1, dtype=np.float32)
    values[0, [7, 9]] = [-0.0, 0.0]
    assert top(values, 2).tolist() == [[7, 9]]


def test_at_least_k_of_each_row_reach_its_floor():
    values = np.random.default_rng(0).standard_normal((3, 1000)).astype(np.float32)
    reached = (values >= floor(values, 20)[:, None]).sum(axis=1)
    assert (reached >= 20).all()
    assert (floor(values[:, :7], 7) == values[:, :7].min(axis=1)).all()
