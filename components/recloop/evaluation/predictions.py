"""Metrics of predicted probabilities and ratings, pair by pair; vectorised, without a tie broken."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
SMALLEST = 1e-15
"""a probability is kept this far from 0 and 1"""


def auc(scores: F64, happened: Bools) -> float:
    """Chance that a pair that happened scores above one that did not, ties half (Mann and Whitney); nan with one class only."""
    return float(grouped_auc(scores, happened, np.zeros(len(scores), dtype=np.int64))[0][0])


def gauc(scores: F64, happened: Bools, groups: NDArray[np.int64]) -> float:
    """AUC within each group, averaged by its pairs; groups of one class are left out (Zhou et al. 2018, section 5.3)."""
    values, sizes = grouped_auc(scores, happened, groups)
    kept = np.isfinite(values)
    return float(np.average(values[kept], weights=sizes[kept])) if kept.any() else float("nan")


def grouped_auc(scores: F64, happened: Bools, groups: NDArray[np.int64]) -> tuple[F64, NDArray[np.int64]]:
    """AUC of each distinct group and its pairs, in the order of the groups; nan where a group has one class."""
    known, own = np.unique(groups, return_inverse=True)
    if not len(known):
        return np.array([np.nan]), np.array([0])
    # dense ranks of the scores, ordered by group: mean ranks within a group are ranks overall minus what lies before
    ranks = rankdata(own * (len(scores) + 1.0) + rankdata(scores, method="dense"))
    sizes = np.bincount(own)
    before = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    positive = np.bincount(own, weights=happened)
    rank_sum = np.bincount(own, weights=(ranks - before[own]) * happened)
    pairs = positive * (sizes - positive)
    found = np.divide(rank_sum - positive * (positive + 1) / 2, pairs, out=np.full(len(known), np.nan), where=pairs > 0)
    return found, sizes


def log_loss(probabilities: F64, happened: Bools) -> float:
    """Mean negative log likelihood, in nats."""
    p = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return float(-np.where(happened, np.log(p), np.log1p(-p)).mean())


def brier(probabilities: F64, happened: Bools) -> float:
    """Mean squared error of the probabilities (Brier 1950)."""
    return float(np.square(probabilities - happened).mean())


def rmse(predicted: F64, given: F64) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.square(predicted - given).mean()))


def mae(predicted: F64, given: F64) -> float:
    """Mean absolute error."""
    return float(np.abs(predicted - given).mean())
