from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.data.profile import Profile
from recloop.quality.drift import Drift, drift, psi

COUNTS = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 1000), min_size=1)


def a_profile(**views):
    blank = dict.fromkeys(Profile.__dataclass_fields__, 0) | {"by_category": {}, "by_price": {}, "by_hour": {}}
    return Profile(**blank | views)


def test_psi_is_the_formula_on_smoothed_shares():
    old, new = (2.5 / 4, 1.5 / 4), (1.5 / 4, 2.5 / 4)
    expected = sum((b - a) * log(b / a) for a, b in zip(old, new, strict=True))
    assert psi({"x": 2, "y": 1}, {"x": 1, "y": 2}) == pytest.approx(expected)


def test_a_bin_that_one_side_lacks_has_a_finite_weight():
    assert 0.25 < psi({"x": 100}, {"y": 100}) < 100


def test_a_side_without_counts_has_not_shifted():
    assert psi({}, {"x": 1}) == psi({"x": 1}, {}) == 0


@given(COUNTS, COUNTS)
def test_psi_is_symmetric_and_never_negative(before, after):
    assert psi(before, after) == pytest.approx(psi(after, before), abs=1e-12)
    assert psi(before, after) >= 0


@given(COUNTS)
def test_equal_counts_have_not_shifted(counts):
    assert psi(counts, counts) == 0


def test_drift_compares_each_view():
    before = a_profile(by_category={"a": 9}, by_price={"1.0": 5}, by_hour={"00": 5})
    after = a_profile(by_category={"b": 9}, by_price={"1.0": 5}, by_hour={"00": 5})
    found = drift(before, after)
    assert (found.price, found.hour) == (0, 0)
    assert found.worst == ("category", found.category)
    assert found.category > 0.25


def test_the_worst_view_is_named():
    assert Drift(category=0.1, price=0.2, hour=0.3).worst == ("hour", 0.3)
