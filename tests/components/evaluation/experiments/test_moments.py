import numpy as np
import pytest

from recloop.evaluation.experiments.moments import Moments, difference, lift, linear, of


def test_moments_of_three_users():
    found = of(np.array([1.0, 2.0, 6.0]))
    assert (found.n, found.mean, found.variance) == (3, 3.0, 7.0)


def test_a_ratio_is_that_of_the_sums_and_varies_with_users():
    top, bottom = np.array([1.0, 0.0, 3.0]), np.array([2.0, 2.0, 4.0])
    found = of(linear(top, bottom))
    rest = top - 0.5 * bottom
    assert found.mean == pytest.approx(0.5)
    assert found.variance == pytest.approx(rest.var(ddof=1) / (8 / 3) ** 2)


def test_difference_and_lift_are_what_the_formulas_say():
    treated, control = Moments(100, 6.0, 4.0), Moments(50, 5.0, 3.0)
    assert difference(treated, control).value == pytest.approx(1.0)
    assert difference(treated, control).variance == pytest.approx(0.04 + 0.06)
    assert lift(treated, control).value == pytest.approx(0.2)
    assert lift(treated, control).variance == pytest.approx((0.04 + 1.44 * 0.06) / 25)


def test_the_variance_of_a_lift_is_that_of_many_lifts():
    rng = np.random.default_rng(1)
    a, b = rng.exponential(2.0, (4_000, 200)), rng.exponential(2.0, (4_000, 100))
    lifts = a.mean(axis=1) / b.mean(axis=1) - 1
    expected = lift(Moments(200, 2.0, 4.0), Moments(100, 2.0, 4.0)).variance
    assert lifts.var() == pytest.approx(expected, rel=0.1)


def test_a_control_that_never_buys_has_no_lift():
    assert np.isnan(lift(Moments(5, 1.0, 1.0), Moments(5, 0.0, 0.0)).value)
