"""Is the share of bad answers above its limit? An answer that holds at every look, from the first bad one on."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln

F64 = NDArray[np.float64]


def above(bad: F64 | int, n: F64 | int, *, limit: float) -> F64:
    """Bad ones of n -> p-value of "at most `limit` of them are bad"; the least over the looks is always valid.

    A mixture of likelihood ratios over shares above the limit, uniform there: a supermartingale for every share up to it
    (Robbins 1970; Ramdas et al. 2023, section 4.3). An error rate, or "p99 is below t" with limit 0.01 and answers slower
    than t as the bad ones.
    """
    bad, n = np.asarray(bad, float), np.asarray(n, float)
    a, b = 1 + bad, 1 + n - bad
    tail = np.maximum(1 - betainc(a, b, limit), np.finfo(float).tiny)
    evidence = betaln(a, b) + np.log(tail) - np.log1p(-limit) - bad * np.log(limit) - (n - bad) * np.log1p(-limit)
    return np.asarray(np.exp(-np.maximum(evidence, 0.0)))
