"""Which of many numbers occur more than once: one sort, where a table of hashes would cost several times as much."""

import numpy as np
from numpy.typing import NDArray


def repeated(values: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Places, ascending, of the values that occur more than once; fast where they are few."""
    ordered = np.sort(values)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(np.isin(values, np.unique(twice)))
