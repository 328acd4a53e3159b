"""Errors of predicted ratings, over folds."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from recloop.errors import BadData

F64 = NDArray[np.float64]


def errors(predicted: F64, values: F64) -> dict[str, float]:
    """Root mean squared and mean absolute error. Raises BadData where there is nothing to compare."""
    if not len(values) or len(predicted) != len(values):
        raise BadData(f"{len(predicted):,} predictions stand beside {len(values):,} ratings; give one for each.")
    missed = predicted - values
    return {"rmse": float(np.sqrt(np.square(missed).mean())), "mae": float(np.abs(missed).mean())}


def folds(n: int, k: int, *, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Masks of the k random test parts of n ratings: sizes differ by one at most, every rating is in one."""
    fold = np.random.default_rng(seed).permutation(n) % k
    for part in range(k):
        yield fold == part
