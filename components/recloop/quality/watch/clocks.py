"""When people come: outages and moved clocks, from visits counted by the hour and by five minutes."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.quality.watch.shares import Days, Grid, Values, trailing, usual
from recloop.quality.watch.window import DAY, DAY_SLOTS, KEY, USERS

PRIOR = 0.5
"""users that every hour of a day has at least had, so that none is impossible"""


def clock(cube: pl.DataFrame, days: Days, parts: int = 24) -> Grid:
    """Users by day and part of the day, an hour or a slot; one who comes in two counts in both."""
    every = pl.DataFrame({DAY: int(days[0]), KEY: [f"{part}" for part in range(parts)], USERS: 0})
    whole = pl.concat(
        [cube.select(DAY, KEY, USERS), every.select(pl.col(DAY).cast(pl.Int32), KEY, USERS)], how="vertical_relaxed"
    )
    padded = whole.with_columns(pl.col(KEY).str.zfill(3)).group_by(DAY, KEY).agg(pl.col(USERS).sum())
    return Grid.of(padded, days, USERS)


def shifted(grid: Grid) -> Values:
    """Evidence that a day's clock was moved by whole hours: logarithm of the likelihood ratio (nats), the best move's.

    The usual shares of the hours, moved, against the same where they are; negative on days that need no move.
    """
    total = np.maximum(trailing(grid.counts.sum(1, keepdims=True)), 1.0)
    known = np.log(usual(grid) + PRIOR / total)  # [days, 24]
    moved = [(grid.counts * (np.roll(known, lag, 1) - known)).sum(1) for lag in range(1, 24)]  # 23 of [days]
    return np.where(grid.counts.sum(1) > 0, np.max(moved, axis=0), np.nan)


def longest(grid: Grid) -> tuple[Values, NDArray[np.int64]]:
    """The longest stretch of each day in which nobody came, in visits that it usually has -> (those, its first slot).

    Gaps between visits are exponential on a clock that runs as visits usually come, so the longest of n is about log n.
    """
    expected = usual(grid) * grid.counts.sum(1, keepdims=True)
    until = np.cumsum(np.nan_to_num(expected), 1)  # [days, slots]
    ends = np.where(grid.counts > 0, until, 0.0)
    since = np.maximum.accumulate(np.hstack([np.zeros((len(ends), 1)), ends[:, :-1]]), 1)
    lack = np.where(grid.counts > 0, until - expected - since, until - since)
    first = np.where(since[np.arange(len(lack)), lack.argmax(1)] == since.T, 1, 0).argmax(0)
    return np.where(np.isnan(expected).any(1), np.nan, lack.max(1)), first


def told(slot: int) -> str:
    """The slot's moment of the day."""
    return f"from {slot * 24 // DAY_SLOTS:02d}:{slot * 1440 // DAY_SLOTS % 60:02d}"
