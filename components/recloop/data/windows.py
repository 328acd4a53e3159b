"""Windows of time: what is known when, the same for every user or, leaving the last visit out, each user's own."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns

DAY = 86_400
USER, TIME = Columns.UserCode, Columns.Time


@dataclass(frozen=True)
class Split:
    """How the dataset is split: kind, the end of the data (seconds since the epoch), days of a window."""

    kind: str
    end: int
    test_days: int


@dataclass(frozen=True)
class Window:
    """start[u] <= time < end[u] for user code u, in seconds since the epoch; an empty window where they are equal."""

    start: NDArray[np.int64]  # [n_users + 1]
    end: NDArray[np.int64]  # [n_users + 1]

    @property
    def as_of(self) -> int:
        """The moment that item statistics are seen from: no user's window starts later."""
        return int(self.start.max())


def windows(events: pl.DataFrame, split: Split, *, n_users: int, count: int) -> tuple[Window, ...]:
    """The newest `count` windows, newest first, next to each other and without overlap."""
    if split.kind == "leave_last_out":
        return _visits(events, split, n_users, count)
    edges = split.end - np.arange(count + 1) * split.test_days * DAY
    full = np.ones(n_users + 1, dtype=np.int64)
    return tuple(Window(full * edges[n + 1], full * edges[n]) for n in range(count))


def _visits(events: pl.DataFrame, split: Split, n_users: int, count: int) -> tuple[Window, ...]:
    """Window n is the user's (n + 1)-th last visit (events at one moment); users without one get an empty window."""
    visits = (
        events.select(USER, TIME)
        .unique()
        .sort(USER, TIME, descending=[False, True])
        .with_columns(pl.int_range(pl.len()).over(USER).alias("back"))
        .filter(pl.col("back") < count)
    )
    edges = np.full((count + 1, n_users + 1), split.end, dtype=np.int64)
    edges[visits["back"].to_numpy() + 1, visits[USER].to_numpy()] = visits[TIME].to_numpy()
    edges = np.minimum.accumulate(edges, axis=0)
    return tuple(Window(edges[n + 1], edges[n]) for n in range(count))
