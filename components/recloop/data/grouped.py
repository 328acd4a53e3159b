"""Sums over equal keys by one sort: the building block of counts, recency and gaps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Grouped:
    """Values in groups of equal key; groups ascend by key, members keep their order."""

    keys: NDArray[np.int64]  # [groups]
    order: NDArray[np.int64]  # [values] positions of the members, group by group
    starts: NDArray[np.int64]  # [groups] first member of each group in `order`

    @classmethod
    def by(cls, keys: NDArray[np.int64]) -> "Grouped":
        """Group positions 0..n-1 by their key."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(keys) else order
        return cls(ordered[starts], order, starts)

    def sum(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sum of each group. [groups]"""
        if not len(self.keys):
            return np.zeros(0, dtype=np.float32)
        return np.add.reduceat(values[self.order].astype(np.float64), self.starts).astype(np.float32)

    def first(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Value of each group's first member. [groups]"""
        return values[self.order[self.starts]]

    def last(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Value of each group's last member. [groups]"""
        ends = np.concatenate([self.starts[1:], [len(self.order)]]) - 1
        return values[self.order[ends]] if len(self.keys) else np.zeros(0, dtype=np.float32)

    def find(self, wanted: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Group of each wanted key, and whether there is one (where not, the group is any)."""
        if not len(self.keys):
            return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return at, self.keys[at] == wanted


def top(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Positions of the k greatest values of each row, best first, ties by position. [n, min(k, columns)]"""
    k = min(k, values.shape[1])
    if k == 0:
        return np.zeros((len(values), 0), dtype=np.int64)
    least = np.partition(values, -k, axis=1)[:, -k, None]
    kept = values >= least
    # argpartition would choose among equals at the k-th place by the processor's instruction set
    tied = np.flatnonzero(np.count_nonzero(kept, axis=1) > k)
    if len(tied):
        kept[tied] = _first(values[tied], least[tied], k)
    part = np.nonzero(kept)[1].reshape(len(values), k)
    order = np.argsort(-np.take_along_axis(values, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(part, order, axis=1)


def _first(values: NDArray[np.float32], least: NDArray[np.float32], k: int) -> NDArray[np.bool_]:
    """What is above the k-th value of each row, filled up to k by the first of its equals. [n, columns]"""
    above, equal = values > least, values == least
    room = k - np.count_nonzero(above, axis=1, keepdims=True)
    first: NDArray[np.bool_] = above | (equal & (np.cumsum(equal, axis=1, dtype=np.int32) <= room))
    return first
