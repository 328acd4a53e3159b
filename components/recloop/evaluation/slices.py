"""Groups on which a model may not be worse: users with little history, rare items, departments."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.evaluation.scorecard import Slices

FEW = 50
"""events before the test below which a user counts as new"""
RARE = 0.8
"""share of the vocabulary, least bought first, that counts as rare"""
DEPARTMENTS = 6
"""the departments with most events"""


def slices_of(lengths: NDArray[np.int64], popularity: NDArray[np.float32], catalogue: pl.DataFrame) -> Slices:
    """Events of each evaluated user [n], events of each code [n_codes], catalogue -> Slices."""
    rare = np.zeros(len(popularity), dtype=bool)
    rare[1 + np.argsort(popularity[1:], kind="stable")[: int(RARE * (len(popularity) - 1))]] = True
    department = catalogue[Columns.Category].str.split(" > ").list.first().fill_null("").to_numpy()
    named = {
        f"department {name}": np.concatenate([[False], department == name]) for name in _largest(department, popularity)
    }
    return Slices(users={f"users below {FEW} events": lengths < FEW}, items={"rare items": rare, **named})


def _largest(department: NDArray[np.object_], popularity: NDArray[np.float32]) -> list[str]:
    names, codes = np.unique(department.astype(str), return_inverse=True)
    totals = np.bincount(codes, weights=popularity[1:])
    best = np.argsort(-totals, kind="stable")[:DEPARTMENTS]
    return sorted(str(names[n]) for n in best if names[n])
