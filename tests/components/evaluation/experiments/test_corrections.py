import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recloop.evaluation.experiments.corrections import holm


def test_holm_steps_down():
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_adjusted_values_keep_their_order_and_are_between_the_raw_ones_and_bonferroni(values):
    raw = np.array(values)
    found = holm(raw)
    assert (found >= raw).all()
    assert (found <= np.minimum(raw * len(raw), 1) + 1e-12).all()
    assert (np.diff(found[np.argsort(raw, kind="stable")]) >= 0).all()
