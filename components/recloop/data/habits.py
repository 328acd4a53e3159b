"""Histories -> what each user does with each item: counts, decay, recency and the usual gap."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.data.grouped import Grouped
from recloop.data.histories import Histories

DAY = 86_400
HALF_LIVES = (7.0, 30.0, 90.0)  # days
F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Habits:
    """One entry a (row, item) pair that occurs; arrays are aligned with `pairs.keys` = row * n_codes + item."""

    pairs: Grouped
    n_codes: int
    count: F32  # purchases (lines)
    days: F32  # distinct days on which it was bought
    decayed: tuple[F32, ...]  # purchases decayed by each of HALF_LIVES
    recent: F32  # purchases in the last 28 days
    last: F32  # days since the last purchase
    first: F32  # days since the first purchase
    price: F32  # mean price paid for one unit
    quantity: F32  # mean units a purchase

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row of each pair."""
        return self.pairs.keys // self.n_codes

    @property
    def items(self) -> NDArray[np.int64]:
        """Item code of each pair."""
        return self.pairs.keys % self.n_codes

    @property
    def gap(self) -> F32:
        """Mean days between purchases; 0 where there was only one day."""
        return np.where(self.days > 1, (self.first - self.last) / np.maximum(self.days - 1, 1), 0).astype(np.float32)


def habits(histories: Histories, n_codes: int) -> Habits:
    """Histories -> Habits, by one sort of the events."""
    rows = histories.rows
    age = ages(histories)
    pairs = Grouped.by(rows * n_codes + histories.items)
    count = pairs.sum(np.ones_like(age))
    return Habits(
        pairs=pairs,
        n_codes=n_codes,
        count=count,
        days=pairs.sum(_new_days(pairs, age)),
        decayed=tuple(pairs.sum(0.5 ** (age / half)) for half in HALF_LIVES),
        recent=pairs.sum((age < 28).astype(np.float32)),
        last=pairs.last(age),
        first=pairs.first(age),
        price=_mean(pairs, histories.prices, count),
        quantity=_mean(pairs, histories.quantities, count),
    )


def _mean(pairs: Grouped, values: F32, count: F32) -> F32:
    return (pairs.sum(values) / np.maximum(count, 1)).astype(np.float32)


def ages(histories: Histories) -> F32:
    """Days between each event and the moment its row is seen from. [events]"""
    return ((np.repeat(histories.now, histories.lengths) - histories.times) / DAY).astype(np.float32)


def _new_days(pairs: Grouped, age: F32) -> F32:
    """1 for the first event of a pair on each day, else 0. [events]"""
    day = np.floor(age[pairs.order])
    fresh = np.concatenate([[True], day[1:] != day[:-1]]) if len(day) else np.zeros(0, dtype=bool)
    fresh[pairs.starts] = True
    marks = np.zeros(len(age), dtype=np.float32)
    marks[pairs.order] = fresh
    return marks
