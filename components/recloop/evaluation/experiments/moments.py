"""Users of an arm -> mean and variance of a metric, and the lift of one arm over another (delta method)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Number = F64 | float
"""one figure, or one of each of many experiments at once"""


@dataclass(frozen=True)
class Moments:
    """Users of one arm, and mean and variance of one metric a user."""

    n: Number
    mean: Number
    variance: Number


@dataclass(frozen=True)
class Effect:
    """An estimate that is normal for many users, and its variance."""

    value: Number
    variance: Number


def of(values: F64) -> Moments:
    """One value a user -> Moments. [n]"""
    n = len(values)
    return Moments(n, float(values.mean()) if n else 0.0, float(values.var(ddof=1)) if n > 1 else 0.0)


def linear(top: F64, bottom: F64) -> F64:
    """Sums of each user -> values whose mean is sum(top) / sum(bottom) and whose variance is that of the ratio. [n] -> [n]

    Users are what varies, not answers (Deng et al. 2018, section 3.2).
    """
    share = float(bottom.mean()) if len(bottom) else 0.0
    if not share:
        return np.zeros(len(top))
    ratio = float(top.mean()) / share
    return ratio + (top - ratio * bottom) / share


def difference(treated: Moments, control: Moments) -> Effect:
    """Mean of the treated less that of the control."""
    return Effect(treated.mean - control.mean, treated.variance / treated.n + control.variance / control.n)


def lift(treated: Moments, control: Moments) -> Effect:
    """Treated over control, less 1, by the delta method (Deng et al. 2018, section 2.2); nan where the control's mean is 0.

    Treated users who are all alike (nobody buys any more) are taken to vary as the control's: they are not certain.
    """
    base = np.where(np.asarray(control.mean) == 0, np.nan, control.mean)
    ratio = treated.mean / base
    spread = np.where(np.asarray(treated.variance) > 0, treated.variance, control.variance)
    variance = (spread / treated.n + ratio**2 * control.variance / control.n) / base**2
    return Effect(ratio - 1, variance)
