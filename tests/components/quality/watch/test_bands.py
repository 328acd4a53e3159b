import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recloop.quality.watch.bands import band, tail

WEEK = np.arange(84) % 7


def test_nothing_is_judged_on_less_than_28_days():
    assert band(np.ones(27), WEEK[:27], 0, floor=0.1) is None


def test_unknown_days_do_not_count_as_history():
    history = np.ones(30)
    history[:5] = np.nan
    assert band(history, WEEK[:30], 0, floor=0.1) is None


def test_a_day_is_compared_with_its_own_weekday():
    history = np.where(WEEK == 5, 10.0, 2.0)
    assert band(history, WEEK, 5, floor=0.1).expected == 10
    assert band(history, WEEK, 1, floor=0.1).expected == 2


def test_the_expectation_follows_the_last_four_weeks():
    history = np.concatenate([np.full(56, 2.0), np.full(28, 3.0)])
    assert band(history, WEEK, 0, floor=0.1).expected == 3


def test_a_few_wild_days_do_not_move_the_limits():
    history = np.ones(84)
    history[[10, 40]] = 100.0
    found = band(history, WEEK, 0, floor=0.1)
    assert (found.expected, found.reach) == (1, 0.1)


def test_a_score_counts_only_its_side():
    found = band(np.ones(84), WEEK, 0, floor=0.5)
    assert found.score(2.0, "high") == found.score(2.0, "both") == 2
    assert found.score(2.0, "low") == found.score(0.0, "high") == 0
    assert found.score(0.0, "low") == 2


@settings(max_examples=25)
@given(st.lists(st.floats(-1e3, 1e3), min_size=28, max_size=84), st.floats(0.01, 10))
def test_no_limit_is_nearer_than_the_floor(values, floor):
    assert band(np.array(values), WEEK[: len(values)], 3, floor=floor).reach >= floor


@settings(max_examples=25)
@given(st.lists(st.floats(-1e3, 1e3), min_size=28, max_size=84), st.floats(-1e3, 1e3))
def test_a_shifted_history_shifts_the_band(values, by):
    history = np.array(values)
    one, other = (band(h, WEEK[: len(values)], 3, floor=1.0) for h in (history, history + by))
    assert other.expected == pytest.approx(one.expected + by, abs=1e-6)
    assert other.reach == pytest.approx(one.reach, abs=1e-6)


def test_a_figures_sampling_widens_its_limits_as_independent_errors_do():
    assert band(np.ones(84), WEEK, 0, floor=3.0, reach=4.0).reach == 5.0


def test_a_fault_that_lasts_for_days_does_not_widen_its_own_limits():
    history = np.ones(84)
    history[-6:] = 50.0
    assert band(history, WEEK, 0, floor=0.1).reach == 0.1


def test_a_skewed_figure_is_judged_by_the_side_that_counts():
    history = np.where(np.arange(84) % 2 == 0, 1.0, 1.0 - np.arange(84) / 10)
    assert band(history, WEEK, 0, floor=0.1, side="high").reach < band(history, WEEK, 0, floor=0.1, side="low").reach


def test_the_tail_of_an_exponential_figure_is_read_from_its_peaks():
    even = -np.log(1 - (np.arange(2000) + 0.5) / 2000)
    assert tail(even, 2000) == pytest.approx(np.log(1000), rel=0.02)


def test_the_tail_of_one_side_is_read_from_as_many_days_as_that_of_both():
    even = -np.log(1 - (np.arange(1000) + 0.5) / 1000)
    assert tail(even, 2000) == pytest.approx(np.log(500), rel=0.02)
