import numpy as np
import polars as pl
import pytest

from recloop.quality.watch.clocks import clock, longest, shifted, told
from recloop.quality.watch.shares import Grid

DAYS = 56


def hours():
    """A day's 24 hours, busiest at noon."""
    return np.tile(np.maximum(0, 40 - 6 * np.abs(np.arange(24) - 12)), (DAYS, 1))


def grid(counts):
    return Grid(tuple(f"{n}" for n in range(counts.shape[1])), counts.astype(float))


def test_a_clock_moved_by_one_hour_is_told_from_other_trade():
    moved, other = hours(), hours()
    moved[-1] = np.roll(moved[-1], 1)
    other[-1, 8:12] *= 2
    assert shifted(grid(moved))[-1] > 10
    assert shifted(grid(other))[-1] < 0
    assert shifted(grid(moved))[-2] < -10


def test_a_day_of_nobody_says_nothing_about_the_clock():
    counts = hours()
    counts[-1] = 0
    assert np.isnan(shifted(grid(counts))[-1])


def test_an_outage_counts_the_visits_that_it_usually_has():
    counts = np.tile(np.full(24, 10), (DAYS, 1))
    counts[-1, 9:12] = 0
    lack, first = longest(grid(counts))
    assert (lack[-2], lack[-1]) == (pytest.approx(0), pytest.approx(3 * 210 / 24))
    assert first[-1] == 9


def test_an_outage_up_to_the_end_of_the_day_is_one():
    counts = np.tile(np.full(24, 10), (DAYS, 1))
    counts[-1, 20:] = 0
    lack, first = longest(grid(counts))
    assert (lack[-1], first[-1]) == (pytest.approx(4 * 200 / 24), 20)


def test_hours_in_which_nobody_ever_comes_are_no_outage():
    lack, _ = longest(grid(hours()))
    assert lack[-1] == pytest.approx(0)
    assert np.isnan(lack[:28]).all()


def test_parts_of_the_day_without_anybody_count_nothing():
    cube = pl.DataFrame({"day": [4, 4], "key": ["2", "10"], "users": [5, 7]})
    found = clock(cube, np.arange(4, 5), 12)
    assert found.counts.tolist() == [[0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7, 0]]


def test_a_slot_is_told_by_its_moment():
    assert (told(0), told(113)) == ("from 00:00", "from 09:25")
