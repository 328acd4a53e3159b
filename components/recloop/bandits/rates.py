"""A reward model of counts: the rate of each item at each position, shrunk as the data say (empirical Bayes)."""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NO_SPREAD = 1e12
"""prior rows where the groups differ by no more than chance: their rates become the mean"""


def rates(
    items: I64, positions: I64, rewards: F64, *, n_items: int, n_positions: int, counts: F64 | None = None
) -> F64:
    """Logged rows -> mean reward by item and position: shrunk item rate times shrunk effect of the position.

    counts: how often each row counts. Returns [n_items, n_positions].
    """
    own = np.ones(len(rewards)) if counts is None else counts
    total = own.sum()
    if total <= 0:
        return np.zeros((n_items, n_positions))
    mean = float(own @ rewards / total)
    if mean <= 0:
        return np.full((n_items, n_positions), max(mean, 0.0))
    variance = float(own @ (rewards - mean) ** 2 / total)
    by_item = _shrunk(items, rewards, own, n_items, mean, variance)
    by_position = _shrunk(positions, rewards, own, n_positions, mean, variance)
    return np.outer(by_item, by_position / mean)


def crossed(
    items: I64,
    positions: I64,
    rewards: F64,
    folds: I64,
    *,
    n_items: int,
    n_positions: int,
    counts: F64 | None = None,
) -> F64:
    """For each fold, the rates of all other folds: no row is judged by itself. [folds, n_items, n_positions]"""
    own = np.ones(len(rewards)) if counts is None else counts
    sizes = {"n_items": n_items, "n_positions": n_positions}
    return np.stack(
        [
            rates(items, positions, rewards, counts=own * (folds != fold), **sizes)
            for fold in range(int(folds.max()) + 1)
        ]
    )


def folds_of(clusters: I64, *, n: int, seed: int) -> I64:
    """A fold for each row; rows of a cluster share it, in any resample. [rows]"""
    own, place = np.unique(clusters, return_inverse=True)
    order = np.random.default_rng([seed, n, len(own)]).permutation(len(own))
    found: I64 = (order % n)[place]
    return found


def _shrunk(groups: I64, rewards: F64, counts: F64, n: int, mean: float, variance: float) -> F64:
    """Group means drawn to the overall mean; prior rows by moments (DerSimonian and Laird 1986, equation 8). [n]

    A row that counts twice is one observation, not two: groups are as large as Kish 1965 says, or a resample would show
    differences between groups that are none.
    """
    total = np.maximum(np.bincount(groups, counts, minlength=n), 1e-300)
    own = np.bincount(groups, counts * rewards, minlength=n) / total
    rows = total**2 / np.maximum(np.bincount(groups, counts**2, minlength=n), 1e-300)
    spread = float(rows @ (own - mean) ** 2) - (np.count_nonzero(rows > 0.5) - 1) * variance
    between = spread / max(float(rows.sum() - (rows**2).sum() / rows.sum()), 1e-300)
    prior = min(variance / between, NO_SPREAD) if between > 0 else NO_SPREAD
    return np.asarray((rows * own + prior * mean) / (rows + prior), dtype=np.float64)
