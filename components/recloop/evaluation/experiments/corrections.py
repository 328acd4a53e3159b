"""Several metrics at once: p-values that keep the chance of any false finding."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


def holm(p_values: F64) -> F64:
    """P-values -> adjusted ones, which may be compared with alpha each (Holm 1979). [m] -> [m]

    Always-valid p-values stay always valid: at any one moment they are p-values.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * np.arange(m, 0, -1))
    found = np.empty(m)
    found[order] = np.minimum(stepped, 1.0)
    return found
