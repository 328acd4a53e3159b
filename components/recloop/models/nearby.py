"""What item-kNN says of a few rows, without a column for every item of the catalogue."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recloop.data.grouped import best_first, floor
from recloop.data.habits import ages
from recloop.data.histories import Histories
from recloop.models.item_knn import ItemKNN

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Nearby:
    """`ItemKNN.nearness` where it is not zero: one entry a (row, item) pair, rows ascend, items in no order."""

    rows: I64  # [entries]
    items: I64  # [entries]
    values: F32  # [entries]
    places: NDArray[np.uint32]  # [n * n_codes] entry of each pair; anything where there is none
    n_codes: int

    @classmethod
    def of(cls, model: ItemKNN, histories: Histories) -> "Nearby":
        """Item-kNN and histories -> what is near to them, the same numbers to the bit."""
        together = _summed(model, histories)
        rows = np.repeat(np.arange(len(histories)), np.diff(together.indptr))
        values = together.data.astype(np.float32)
        kept = np.flatnonzero((values > 0) & (together.indices > 0))
        rows, items = rows[kept], together.indices[kept].astype(np.int64)
        # never filled: only the places of entries are ever believed
        places = np.empty(len(histories) * model.n_codes, dtype=np.uint32)
        places[rows * model.n_codes + items] = np.arange(len(kept), dtype=np.uint32)
        return cls(rows, items, values[kept], places, model.n_codes)

    def at(self, rows: I64, items: I64) -> F32:
        """Nearness of pairs, 0 where there is none. [pairs]"""
        if not len(self.values):
            return np.zeros(len(rows), dtype=np.float32)
        place = np.minimum(self.places[rows * self.n_codes + items], np.uint32(len(self.values) - 1))
        there = (self.rows[place] == rows) & (self.items[place] == items)
        return np.where(there, self.values[place], np.float32(0))

    def propose(self, cap: int, blocked: NDArray[np.bool_]) -> I64:
        """The `cap` nearest of each row that are not blocked (one flag an entry), as row * n_codes + item."""
        free = np.flatnonzero(~blocked)
        if not len(free) or not cap:
            return np.zeros(0, dtype=np.int64)
        rows, items, values = self.rows[free], self.items[free], self.values[free]
        least = _floor(rows, values, cap)
        near = np.flatnonzero(values >= least[rows])
        row, item = best_first(rows[near], items[near], values[near], cap)
        return row * self.n_codes + item


def _summed(model: ItemKNN, histories: Histories) -> sparse.csr_matrix:
    """Sum over the history of decayed similarity. [n, n_codes]"""
    items = histories.items
    weight = 0.5 ** (ages(histories) / model.half_life)
    values = (weight[:, None] * model.similarity[items]).astype(np.float64)
    ends = np.arange(len(items) + 1) * model.neighbours.shape[1]
    spread = sparse.csr_matrix(
        (values.ravel(), model.neighbours[items].ravel(), ends), shape=(len(items), model.n_codes)
    )
    ones = np.ones(len(items))
    return (
        sparse.csr_matrix((ones, np.arange(len(items)), histories.offsets), shape=(len(histories), len(items))) @ spread
    )


def _floor(rows: I64, values: F32, cap: int) -> F32:
    """A value that at least `cap` of each row's reach; -inf where it has fewer. [last row + 1]"""
    lengths = np.bincount(rows)
    starts = np.cumsum(lengths) - lengths
    padded = np.full((len(lengths), max(int(lengths.max()), cap)), -np.inf, dtype=np.float32)
    padded[rows, np.arange(len(rows)) - starts[rows]] = values
    return floor(padded, cap)
