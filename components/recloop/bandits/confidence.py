"""Intervals of an off-policy estimate: bootstrap over clusters, normal, and empirical Bernstein."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from recloop.bandits.estimators import Terms
from recloop.errors import BadData
from recloop.evaluation.intervals import draws

F64 = NDArray[np.float64]
KINDS = ("bootstrap", "normal", "bernstein")


@dataclass(frozen=True)
class Interval:
    """A value, its standard error over clusters, and the bounds of its interval."""

    value: float
    error: float
    low: float
    high: float


def intervals(
    terms: Sequence[Terms],
    clusters: NDArray[np.int64],
    *,
    kind: str = "bootstrap",
    confidence: float = 0.95,
    times: int = 1_000,
    seed: int = 0,
) -> list[Interval]:
    """Terms of several estimators -> their intervals; rows of a cluster are taken or left together, for all alike.

    bootstrap: percentiles over resampled clusters. normal: the linearised estimate. bernstein: Maurer and Pontil 2009,
    theorem 4, on the linearised estimate with the largest range that the log shows; wide, for few rows or heavy weights.
    All of them take the reward model as given: what its own fitting adds is not in them (see `logged.refitted`).
    """
    if kind not in KINDS:
        raise BadData(f"There is no interval {kind!r}; there are {', '.join(KINDS)}.")
    if kind == "bootstrap":
        bounds = _percentiles(terms, clusters, confidence, times, seed)
    else:
        half = _normal if kind == "normal" else _bernstein
        bounds = [(own.value - wide, own.value + wide) for own in terms for wide in [half(own, clusters, confidence)]]
    return [
        Interval(own.value, _error(own, clusters), low, high) for own, (low, high) in zip(terms, bounds, strict=True)
    ]


def _percentiles(
    terms: Sequence[Terms], clusters: NDArray[np.int64], confidence: float, times: int, seed: int
) -> list[tuple[float, float]]:
    sums = np.concatenate([_by_cluster(own, clusters) for own in terms], axis=1)  # [clusters, 4 * estimators]
    totals = np.concatenate([counts @ sums for counts in draws(len(sums), times=times, seed=seed)])
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    found = [np.quantile(_value(totals[:, n : n + 4]), tails) for n in range(0, totals.shape[1], 4)]
    return [(float(low), float(high)) for low, high in found]


def _by_cluster(terms: Terms, clusters: NDArray[np.int64]) -> F64:
    """Sums of base, top, bottom and rows. [clusters, 4]"""
    _, place = np.unique(clusters, return_inverse=True)
    parts = (terms.base, terms.top, terms.bottom, np.ones(len(clusters)))
    return np.stack([np.bincount(place, part) for part in parts], axis=1)


def _value(totals: F64) -> F64:
    """Sums over resamples -> the estimate in each. [times, 4] -> [times]"""
    base, top, bottom, rows = totals.T
    return np.asarray(base / rows + np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0), dtype=np.float64)


def _influences(terms: Terms, clusters: NDArray[np.int64]) -> F64:
    """Sums of the rows' influence, scaled so that their mean is the estimate's error. [clusters]"""
    _, place = np.unique(clusters, return_inverse=True)
    sums = np.bincount(place, terms.influence)
    return np.asarray(sums * (len(sums) / len(clusters)), dtype=np.float64)


def _error(terms: Terms, clusters: NDArray[np.int64]) -> float:
    values = _influences(terms, clusters)
    return math.sqrt(float(values.var(ddof=1)) / len(values)) if len(values) > 1 else math.inf


def _normal(terms: Terms, clusters: NDArray[np.int64], confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2) * _error(terms, clusters)


def _bernstein(terms: Terms, clusters: NDArray[np.int64], confidence: float) -> float:
    values = _influences(terms, clusters)
    if len(values) < 2:
        return math.inf
    tail = math.log(4 / (1 - confidence))  # two sides, each with 2 / delta
    variance, spread = float(values.var(ddof=1)), float(np.ptp(values))
    return math.sqrt(2 * variance * tail / len(values)) + 7 * spread * tail / (3 * (len(values) - 1))
