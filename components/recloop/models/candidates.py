"""Candidates: a few hundred items a user, proposed by several sources (Covington et al. 2016, section 3)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.config import CandidatesConfig
from recloop.data.grouped import top
from recloop.data.habits import Habits
from recloop.data.histories import Histories

SOURCES = ("history", "popularity", "item_knn", "sasrec")
"""Bit b of an origin is SOURCES[b]."""
F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """(row, item) pairs, sorted by row and item, each once, with the sources that proposed it."""

    rows: NDArray[np.int64]  # [pairs]
    items: NDArray[np.int64]  # [pairs]
    origins: NDArray[np.uint8]  # [pairs] bits of SOURCES


def candidates(
    *,
    histories: Histories,
    habit: Habits,
    popularity: F32,
    item_knn: F32,
    sasrec: F32 | None,
    config: CandidatesConfig,
    exclude_seen: bool,
    mask: NDArray[np.bool_],
    k: int,
) -> Candidates:
    """Union of what each source proposes for each row. item_knn, sasrec: scores of every item. [n, n_codes]

    Item-kNN, SASRec and popularity propose items that the row has not had; history proposes those that it has.
    Popularity proposes at least k, as far as the permitted catalogue sold anything in the last 28 days.
    """
    n = habit.n_codes
    seen = np.zeros((len(histories), n), dtype=bool)
    seen[habit.rows, habit.items] = True
    blocked = seen | ~mask
    popular = max(config.popularity, k)
    keys = [
        np.zeros(0, dtype=np.int64) if exclude_seen else _history(habit, config.history, mask),
        _popular(n, _head(popularity, mask, popular + _most(habit)), popular, blocked),
        _unseen(np.where(blocked, 0, item_knn), config.item_knn, least=0.0),
    ]
    if sasrec is not None:
        keys.append(_unseen(np.where(blocked, -np.inf, sasrec), config.sasrec, least=-np.inf))
    return _union(keys, n)


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


def _head(popularity: F32, mask: NDArray[np.bool_], size: int) -> NDArray[np.int64]:
    """The most popular permitted items."""
    head = top(np.where(mask & (popularity > 0), popularity, -np.inf)[None], size)[0]
    permitted: NDArray[np.int64] = head[mask[head] & (popularity[head] > 0)]
    return permitted


def _popular(n: int, head: NDArray[np.int64], cap: int, blocked: NDArray[np.bool_]) -> NDArray[np.int64]:
    free = ~blocked[:, head]
    row, place = np.nonzero(free & (np.cumsum(free, axis=1) <= cap))
    keys: NDArray[np.int64] = row * n + head[place]
    return keys


def _unseen(scores: F32, cap: int, *, least: float) -> NDArray[np.int64]:
    at = top(scores, cap)
    good = np.take_along_axis(scores, at, axis=1) > least
    keys: NDArray[np.int64] = (np.arange(len(scores))[:, None] * scores.shape[1] + at)[good]
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
