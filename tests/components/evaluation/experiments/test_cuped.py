import numpy as np
import pytest

from recloop.evaluation.experiments.cuped import adjusted


def test_what_the_past_explains_is_removed_and_the_mean_stays():
    rng = np.random.default_rng(3)
    before = rng.normal(10, 2, 20_000)
    values = before + rng.normal(0, 1, 20_000)
    found, removed = adjusted(values, before)
    assert found.mean() == pytest.approx(values.mean())
    assert removed == pytest.approx(0.8, abs=0.02)
    assert np.corrcoef(found, before)[0, 1] == pytest.approx(0, abs=1e-6)


def test_a_past_that_never_varied_changes_nothing():
    values = np.array([1.0, 2.0, 3.0])
    found, removed = adjusted(values, np.ones(3))
    assert found is values
    assert removed == 0
