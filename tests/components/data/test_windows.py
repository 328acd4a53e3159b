from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.data.windows import DAY, Split, windows

END = 100 * DAY
visits = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 99)), max_size=25)


def coded(pairs):
    """(user code, day) pairs -> the columns that windows read."""
    schema = {"user": pl.Int32, "time": pl.Int64}
    return pl.DataFrame({"user": [u for u, _ in pairs], "time": [d * DAY for _, d in pairs]}, schema=schema)


def of(pairs, kind, count, users=4):
    return windows(coded(pairs), Split(kind=kind, end=END, test_days=7), n_users=users, count=count)


def test_a_window_in_time_is_as_long_as_the_split_says_and_the_newest_ends_with_the_data():
    newest, older = of([], "temporal", 2)
    assert newest.end.tolist() == [END] * 5
    assert newest.start.tolist() == [END - 7 * DAY] * 5
    assert older.end.tolist() == newest.start.tolist()
    assert newest.as_of == END - 7 * DAY


@pytest.mark.parametrize("kind", ["temporal", "leave_last_out"])
@given(visits, st.integers(1, 4))
def test_windows_touch_without_overlap(kind, pairs, count):
    found = of(pairs, kind, count)
    assert len(found) == count
    assert all(np.all(window.start <= window.end) for window in found)
    assert all(np.array_equal(old.end, new.start) for new, old in pairwise(found))


@given(visits, st.integers(1, 4))
def test_each_window_that_leaves_visits_out_holds_one_visit_of_each_user_who_has_it(pairs, count):
    found = of(pairs, "leave_last_out", count)
    for user in range(1, 5):
        days = sorted({d for u, d in pairs if u == user}, reverse=True)
        for n, window in enumerate(found):
            inside = [d for d in days if window.start[user] <= d * DAY < window.end[user]]
            assert inside == days[n : n + 1]


def test_lines_at_one_moment_are_one_visit():
    newest, older = of([(1, 3), (1, 9), (1, 9)], "leave_last_out", 2, users=1)
    assert (newest.start[1], older.start[1]) == (9 * DAY, 3 * DAY)


def test_nobody_starts_later_than_the_moment_of_the_statistics():
    newest, _ = of([(1, 3), (2, 50), (2, 60)], "leave_last_out", 2)
    assert newest.as_of >= newest.start.max()
