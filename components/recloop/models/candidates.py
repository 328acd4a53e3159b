"""Candidates: a few hundred items a user, proposed by several sources (Covington et al. 2016, section 3)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.config import CandidatesConfig
from recloop.data.habits import Habits
from recloop.models.nearby import Nearby
from recloop.models.retrieval import Logits

SOURCES = ("history", "popularity", "item_knn", "sasrec")
"""Bit b of an origin is SOURCES[b]."""
F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """(row, item) pairs, sorted by row and item, each once, with the sources that proposed it."""

    rows: NDArray[np.int64]  # [pairs]
    items: NDArray[np.int64]  # [pairs]
    origins: NDArray[np.uint8]  # [pairs] bits of SOURCES


@dataclass(frozen=True)
class Fame:
    """Items that sold of late, the most popular first, ties by code."""

    order: NDArray[np.int64]

    @classmethod
    def of(cls, popularity: F32) -> "Fame":
        """Popularity of every item code -> Fame."""
        order = np.argsort(-popularity, kind="stable")
        return cls(order[popularity[order] > 0])

    def head(self, mask: NDArray[np.bool_], size: int) -> NDArray[np.int64]:
        """The `size` most popular permitted items."""
        found = self.order[: 2 * size]
        found = found[mask[found]][:size]
        return found if len(found) == size else self.order[mask[self.order]][:size]


def candidates(
    *,
    n: int,
    habit: Habits,
    popularity: Fame,
    item_knn: Nearby,
    sasrec: Logits | None,
    known: NDArray[np.bool_] | None,
    config: CandidatesConfig,
    exclude_seen: bool,
    mask: NDArray[np.bool_],
    k: int,
) -> Candidates:
    """Union of what each source proposes for each of n rows; known: the items that SASRec learnt.

    Item-kNN, SASRec and popularity propose items that the row has not had; history proposes those that it has.
    Popularity proposes at least k, as far as the permitted catalogue sold anything in the last 28 days.
    """
    seen = np.zeros((n, habit.n_codes), dtype=bool)
    seen[habit.rows, habit.items] = True
    popular = max(config.popularity, k)
    keys = [
        np.zeros(0, dtype=np.int64) if exclude_seen else _history(habit, config.history, mask),
        _popular(popularity.head(mask, popular + _most(habit)), popular, seen),
        item_knn.propose(config.item_knn, ~mask[item_knn.items] | seen[item_knn.rows, item_knn.items]),
    ]
    if sasrec is not None:
        keys.append(sasrec.propose(config.sasrec, seen=habit, allowed=mask if known is None else mask & known))
    return _union(keys, habit.n_codes)


def _history(habit: Habits, cap: int, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The row's own items, the `cap` with the greatest decayed counts."""
    permitted = np.flatnonzero(mask[habit.items])
    weight = (habit.decayed[1] + habit.decayed[2])[permitted]
    order = permitted[np.lexsort((-weight, habit.rows[permitted]))]
    rows = habit.rows[order]
    rank = np.arange(len(order)) - np.searchsorted(rows, rows)
    keys: NDArray[np.int64] = habit.pairs.keys[order[rank < cap]]
    return keys


def _most(habit: Habits) -> int:
    """Distinct items of the row that has most: nobody's unseen popular items lie deeper than that below the head."""
    return int(np.bincount(habit.rows).max(initial=0))


def _popular(head: NDArray[np.int64], cap: int, seen: NDArray[np.bool_]) -> NDArray[np.int64]:
    free = ~seen[:, head]
    row, place = np.nonzero(free & (np.cumsum(free, axis=1) <= cap))
    keys: NDArray[np.int64] = row * seen.shape[1] + head[place]
    return keys


def _union(keys: list[NDArray[np.int64]], n: int) -> Candidates:
    every = np.concatenate(keys)
    bits = np.repeat(1 << np.arange(len(keys)), [len(k) for k in keys]).astype(np.uint8)
    order = np.argsort(every, kind="stable")
    ordered = every[order]
    if not len(ordered):
        return Candidates(ordered, ordered, bits)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    unique = ordered[starts]
    return Candidates(unique // n, unique % n, np.bitwise_or.reduceat(bits[order], starts))
