import numpy as np
import pytest

from recloop.evaluation.calibration import Bin, calibration


def test_bins_by_hand():
    logits = np.array([0.0, np.log(3), 0.0, np.log(3)], dtype=np.float32)
    happened = np.array([True, True, False, True])
    low, high = calibration(logits, happened, bins=2)
    assert (low.predicted, low.observed, low.n) == (pytest.approx(0.5), 0.5, 2)
    assert (high.predicted, high.observed, high.n) == (pytest.approx(0.75), 1.0, 2)


def test_outcomes_drawn_from_the_probabilities_lie_on_the_diagonal():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, 20_000).astype(np.float32)
    happened = rng.random(20_000) < 1 / (1 + np.exp(-logits))
    found = calibration(logits, happened)
    assert len(found) == 10
    assert all(abs(b.predicted - b.observed) < 0.04 for b in found)


def test_fewer_pairs_than_bins_and_none_at_all():
    assert calibration(np.zeros(1, np.float32), np.array([True])) == (Bin(0.5, 1.0, 1),)
    assert calibration(np.zeros(0, np.float32), np.zeros(0, bool)) == ()
