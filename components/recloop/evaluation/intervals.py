"""Bootstrap over users: percentile intervals of a mean and of a paired difference (Efron and Tibshirani 1993, chapter 13)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
CELLS = 2**23
"""weights held at once: memory does not grow with resamples times users"""


@dataclass(frozen=True)
class Estimate:
    """A mean over n users with the bounds of its interval."""

    value: float
    low: float
    high: float
    n: int


def draws(n: int, *, times: int, seed: int) -> Iterator[F64]:
    """How often each of n users occurs in each of `times` resamples, some resamples at once. [part, n] each"""
    rng = np.random.default_rng([seed, n, times])
    part = max(1, CELLS // n)
    for start in range(0, times, part):
        yield rng.multinomial(n, np.full(n, 1 / n), size=min(part, times - start)).astype(np.float64)


def mean(values: F64, *, times: int, confidence: float, seed: int) -> Estimate:
    """Mean of one value a user, nan left out, with its interval."""
    return means(values[:, None], times=times, confidence=confidence, seed=seed)[0]


def means(values: F64, *, times: int, confidence: float, seed: int) -> list[Estimate]:
    """Means of the columns of [users, columns], nan left out, resampled together: ask for all columns at once."""
    if not len(values):
        return [Estimate(np.nan, np.nan, np.nan, 0)] * values.shape[1]
    known = np.isfinite(values)
    filled, ones = np.where(known, values, 0), known.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [(weights @ filled) / (weights @ ones) for weights in draws(len(values), times=times, seed=seed)]
    tail = (1 - confidence) / 2
    return [
        _estimate(column[mask], sample, tail)
        for column, mask, sample in zip(values.T, known.T, np.concatenate(parts).T, strict=True)
    ]


def _estimate(own: F64, sample: F64, tail: float) -> Estimate:
    if not len(own):
        return Estimate(np.nan, np.nan, np.nan, 0)
    low, high = np.nanquantile(sample, [tail, 1 - tail])
    return Estimate(float(own.mean()), float(low), float(high), len(own))


def paired(first: F64, second: F64, *, times: int, confidence: float, seed: int) -> Estimate:
    """Mean of first - second over users who have both, with its interval."""
    return mean(first - second, times=times, confidence=confidence, seed=seed)
