import numpy as np
import pytest

from recloop.evaluation.experiments.always_valid import interval, p_value, verdict
from recloop.evaluation.experiments.moments import Effect, Moments, lift

PEEKS, BLOCK, RUNS = 50, 60, 1_000


def shoppers(rng, runs, users):
    """A third buy, and spend as skewed a sum as shoppers do."""
    spent = rng.exponential(10.0, (runs, users)) ** 1.3
    return np.where(rng.random((runs, users)) < 0.34, spent, 0.0)


def looks(rng, *, runs=RUNS, more=0.0):
    """Moments of one arm at every look. [runs, peeks]"""
    n = BLOCK * np.arange(1, PEEKS + 1)
    parts = shoppers(rng, runs, PEEKS * BLOCK).reshape(runs, PEEKS, BLOCK) * (1 + more)
    first, second = (np.cumsum((parts**power).sum(axis=2), axis=1) for power in (1, 2))
    mean = first / n
    return Moments(n, mean, (second / n - mean**2) * n / (n - 1))


@pytest.fixture(scope="module")
def null():
    rng = np.random.default_rng(7)
    return lift(looks(rng), looks(rng))


def test_watching_1000_experiments_without_an_effect_all_the_time_finds_one_in_at_most_5_percent(null):
    low, high = interval(null, tau=0.1)
    wrong = ((low > 0) | (high < 0)).any(axis=1).mean()
    assert wrong <= 0.05


def test_an_ordinary_test_watched_the_same_way_is_wrong_far_more_often(null):
    z = np.abs(null.value) / np.sqrt(null.variance)
    assert (z > 1.96).any(axis=1).mean() > 0.2


def test_an_effect_is_found_more_often_than_planned_for():
    rng = np.random.default_rng(8)
    low, _ = interval(lift(looks(rng, runs=200, more=0.4), looks(rng, runs=200)), tau=0.4)
    assert (low > 0).any(axis=1).mean() > 0.8


def test_interval_and_p_value_agree():
    effect = Effect(np.linspace(-0.3, 0.3, 61), np.full(61, 0.004))
    low, high = interval(effect, tau=0.1, alpha=0.05)
    outside = (low > 0) | (high < 0)
    assert outside.any()
    np.testing.assert_array_equal(outside, p_value(effect, tau=0.1) < 0.05)


def test_nothing_is_known_where_nothing_varied():
    effect = Effect(np.array([0.0, np.nan]), np.array([0.0, np.nan]))
    low, high = interval(effect, tau=0.1)
    assert np.isneginf(low).all()
    assert np.isposinf(high).all()
    assert (p_value(effect, tau=0.1) == 1).all()


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.2, "better"), (-0.2, -0.01, "worse"), (-0.04, 0.03, "same"), (-0.04, 0.2, "open")],
)
def test_the_verdict_is_what_the_bounds_allow(low, high, said):
    assert verdict(low, high, smallest=0.05) == said
