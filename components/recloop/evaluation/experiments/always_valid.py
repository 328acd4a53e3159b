"""Intervals and p-values that hold at every look, so that an experiment may be stopped at any of them.

The mixture sequential probability ratio test with a normal mixture N(0, tau^2) over the effect (Robbins 1970; Johari et
al. 2017, "Peeking at A/B tests", equation 6). With estimated variances it is an asymptotic confidence sequence
(Waudby-Smith et al. 2024, theorem 2.2): wait for some hundred users an arm before the first look. tau is fixed before the
start; the effect that the experiment is to find is a near-optimal choice.
"""

from typing import Literal

import numpy as np

from recloop.evaluation.experiments.moments import F64, Effect

Verdict = Literal["better", "worse", "same", "open"]
"""same: the interval lies within the smallest effect of interest"""


def interval(effect: Effect, *, tau: float, alpha: float = 0.05) -> tuple[F64, F64]:
    """Effect -> bounds that hold at all looks together with chance 1 - alpha; infinite where nothing varied yet."""
    value, variance = np.asarray(effect.value, float), np.asarray(effect.variance, float)
    known = np.isfinite(value) & (variance > 0)
    v = np.where(known, variance, 1.0)
    half = np.sqrt(v * (v + tau**2) / tau**2 * (2 * np.log(1 / alpha) + np.log1p(tau**2 / v)))
    half, middle = np.where(known, half, np.inf), np.where(known, value, 0.0)
    return middle - half, middle + half


def p_value(effect: Effect, *, tau: float) -> F64:
    """Effect -> p-value at this look; the least over all looks so far is always valid. 1 where nothing varied yet."""
    value, variance = np.asarray(effect.value, float), np.asarray(effect.variance, float)
    known = np.isfinite(value) & (variance > 0)
    v, squared = np.where(known, variance, 1.0), np.where(known, value, 0.0) ** 2
    log_ratio = tau**2 * squared / (2 * v * (v + tau**2)) - 0.5 * np.log1p(tau**2 / v)
    return np.asarray(np.where(known, np.exp(-np.maximum(log_ratio, 0.0)), 1.0))


def verdict(low: float, high: float, *, smallest: float) -> Verdict:
    """Bounds of an effect -> what they allow to say: an experiment that is not open may stop."""
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "same" if -smallest < low and high < smallest else "open"
