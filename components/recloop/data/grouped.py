"""Sums over equal keys by one sort: the building block of counts, recency and gaps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.data.ordering import stable_order

GROUP = 64
"""columns whose maximum stands for them"""
FEW = 8
"""times k: what reaches the floor is sorted where it is not more than that"""
WIDE = 8192
"""columns below which a partition is as fast"""
ROW_BITS, COLUMN_BITS = 10, 22
"""of a sort key, beside the 32 of a float"""


@dataclass(frozen=True)
class Grouped:
    """Values in groups of equal key; groups ascend by key, members keep their order."""

    keys: NDArray[np.int64]  # [groups]
    order: NDArray[np.int64]  # [values] positions of the members, group by group
    starts: NDArray[np.int64]  # [groups] first member of each group in `order`

    @classmethod
    def by(cls, keys: NDArray[np.int64]) -> "Grouped":
        """Group positions 0..n-1 by their key, which is not negative."""
        order = stable_order(keys)
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
    if values.shape[1] < WIDE or values.shape[1] >> COLUMN_BITS or len(values) >> ROW_BITS:
        return _partitioned(values, k)
    rows, columns = _reaching(values, floor(values, k))
    if len(rows) > FEW * k * len(values):
        return _partitioned(values, k)
    return best_first(rows, columns, values[rows, columns], k)[1].reshape(len(values), k)


def best_first(
    rows: NDArray[np.int64], columns: NDArray[np.integer], values: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the k greatest values of each row, best first, ties by column; rows may have fewer.

    rows below 2 ** ROW_BITS, columns below 2 ** COLUMN_BITS: one sort of whole numbers orders by all three.
    """
    bits = (values + np.float32(0)).view(np.int32)
    # floats order as their bits do; those of negative ones the other way round
    falling = ~(bits ^ ((bits >> 31) & 0x7FFFFFFF)).view(np.uint32) ^ np.uint32(1 << 31)
    keys = rows.astype(np.uint64) << np.uint64(32 + COLUMN_BITS)
    keys |= falling.astype(np.uint64) << np.uint64(COLUMN_BITS)
    keys |= columns.astype(np.uint64)
    keys.sort()
    row = (keys >> np.uint64(32 + COLUMN_BITS)).astype(np.int64)
    kept = np.arange(len(row)) - np.searchsorted(row, row) < k
    return row[kept], (keys[kept] & np.uint64((1 << COLUMN_BITS) - 1)).astype(np.int64)


def floor(values: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """A value that at least k <= columns of each row reach, and few more than k where values differ. [n]

    The k-th greatest of the maxima of groups of columns: one pass at the speed of memory, where a partition takes thirty.
    """
    heads, rest = _maxima(values)
    maxima = np.concatenate([heads, rest], axis=1)
    if maxima.shape[1] < k:
        maxima = values
    found: NDArray[np.float32] = np.partition(maxima, -k, axis=1)[:, -k]
    return found


def _maxima(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The greatest of columns g, g + groups, ... of each row, and the columns that are left over."""
    groups = values.shape[1] // GROUP
    whole = groups * GROUP
    return values[:, :whole].reshape(len(values), GROUP, groups).max(axis=1), values[:, whole:]


def _reaching(values: NDArray[np.float32], least: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of the values that reach their row's least; only groups whose greatest does are looked at."""
    heads, rest = _maxima(values)
    row, group = np.nonzero(heads >= least[:, None])
    groups = heads.shape[1]
    whole = groups * GROUP
    members = values[:, :whole].reshape(len(values), GROUP, groups)[row, :, group]
    hit, member = np.nonzero(members >= least[row, None])
    more, left = np.nonzero(rest >= least[:, None])
    columns = np.concatenate([member * groups + group[hit], left + whole])
    return np.concatenate([row[hit], more]), columns


def _partitioned(values: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """The same by a partition, where so many are equal that there is no few to look at."""
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
