import numpy as np

from recloop.evaluation import intervals
from recloop.evaluation.intervals import mean, means, paired

OPTIONS = {"times": 300, "confidence": 0.9, "seed": 1}


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    covered = 0
    for n in range(200):
        found = mean(rng.normal(0.3, 1, 120), times=300, confidence=0.9, seed=n)
        covered += found.low <= 0.3 <= found.high
    assert 165 <= covered <= 195


def test_a_paired_difference_is_narrower_than_two_means():
    rng = np.random.default_rng(2)
    base = rng.normal(0, 1, 400)
    other = base + rng.normal(0.05, 0.1, 400)
    together = paired(other, base, times=500, confidence=0.95, seed=1)
    alone = mean(other, times=500, confidence=0.95, seed=1)
    assert together.high - together.low < 0.3 * (alone.high - alone.low)
    assert together.low > 0


def test_users_without_a_value_are_left_out():
    found = mean(np.array([1.0, np.nan, 3.0]), times=100, confidence=0.95, seed=1)
    assert (found.value, found.n) == (2.0, 2)
    alike = mean(np.array([5.0, np.nan, 5.0, 5.0, 5.0, 5.0]), times=100, confidence=0.95, seed=1)
    assert (alike.low, alike.high) == (5, 5)
    assert np.isnan(mean(np.array([np.nan]), times=100, confidence=0.95, seed=1).value)


def test_columns_asked_for_together_are_as_if_asked_for_alone():
    values = np.random.default_rng(3).normal(0, 1, (80, 2))
    together = means(values, **OPTIONS)
    for column, found in zip(values.T, together, strict=True):
        np.testing.assert_allclose(
            [found.value, found.low, found.high],
            [mean(column, **OPTIONS).__dict__[k] for k in ("value", "low", "high")],
        )


def test_resamples_drawn_in_parts_are_those_drawn_at_once(monkeypatch):
    values = np.random.default_rng(4).normal(0, 1, 50)
    whole = mean(values, **OPTIONS)
    monkeypatch.setattr(intervals, "CELLS", 50 * 7)
    parts = mean(values, **OPTIONS)
    np.testing.assert_allclose([parts.low, parts.high], [whole.low, whole.high])


def test_a_model_against_itself_differs_by_exactly_nothing():
    values = np.random.default_rng(5).normal(0, 1, 50)
    found = paired(values, values, **OPTIONS)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_of_nobody_there_is_no_mean():
    found = mean(np.zeros(0), **OPTIONS)
    assert found.n == 0
    assert np.isnan([found.value, found.low, found.high]).all()
