import numpy as np
import polars as pl
import pytest

from recloop.quality.watch.shares import Grid, distance, quiet, silence

DAYS = 56


def grid(counts):
    return Grid(tuple(f"{n}" for n in range(counts.shape[1])), counts.astype(float))


def clock():
    """A day's 24 hours, busy from 8 to 20."""
    return np.tile(np.where((np.arange(24) >= 8) & (np.arange(24) < 20), 20, 0), (DAYS, 1))


def test_a_group_without_rows_on_a_day_counts_nothing():
    cube = pl.DataFrame({"day": [10, 12], "key": ["a", "b"], "rows": [3, 4]})
    assert Grid.of(cube, np.arange(10, 13)).counts.tolist() == [[3, 0], [0, 0], [0, 4]]


def test_the_first_four_weeks_have_no_reference():
    assert np.isnan(distance(grid(clock()))[:28]).all()


def test_equal_days_are_not_apart_and_others_are():
    counts = np.tile([6, 4], (DAYS, 1))
    counts[-1] = [4, 6]
    apart = distance(grid(counts))
    assert (apart[-2], apart[-1]) == (pytest.approx(0), pytest.approx(0.2))


def test_missing_hours_are_found_where_they_begin():
    counts = clock()
    counts[-1, 12:14] = 0
    lack, start = quiet(grid(counts))
    assert lack[-2] == pytest.approx(0, abs=1e-6)
    assert (lack[-1] > 5, start[-1]) == (True, 12)


def test_a_day_with_fewer_of_everything_has_no_missing_hours():
    counts = clock()
    counts[-1] //= 2
    assert quiet(grid(counts))[0][-1] == pytest.approx(0, abs=1e-6)


def test_a_group_that_falls_silent_is_named():
    counts = np.tile([60, 30, 30], (DAYS, 1))
    counts[-1] = [60, 0, 30]
    chance, which = silence(grid(counts))
    assert (chance[-1] > 8, which[-1]) == (True, 1)


def test_a_small_group_is_silent_only_after_some_days():
    counts = np.tile([200, 5], (DAYS, 1))
    counts[-7:, 1] = 0
    chance, _ = silence(grid(counts))
    assert chance[-7] < 3
    assert chance[-1] > 10


def test_a_quiet_day_of_the_whole_shop_silences_no_group():
    counts = np.tile([60, 30], (DAYS, 1))
    counts[-1] = [30, 15]
    assert silence(grid(counts))[0][-1] < 2


def test_a_silence_of_five_days_is_told_by_those_days_alone():
    counts = np.tile([200, 5], (DAYS, 1))
    counts[-5:, 1] = 0
    assert silence(grid(counts))[0][-1] > 9
