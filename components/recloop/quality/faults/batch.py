"""What a fault is planted into: a delivery of the last days, and the catalogue that comes with it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Batch:
    """A week of events as read (READ_SCHEMA); faults are planted into its last day unless they last longer."""

    events: pl.DataFrame
    items: pl.DataFrame
    start: datetime
    """of the last day, UTC; it ends 24 hours later"""

    @property
    def today(self) -> pl.Expr:
        """True for rows of the last day."""
        return (pl.col(Columns.Time) >= self.start) & (pl.col(Columns.Time) < self.start + DAY)

    @property
    def rows(self) -> pl.DataFrame:
        """Rows of the last day."""
        return self.events.filter(self.today)

    def changed(self, rows: pl.DataFrame) -> "Batch":
        """The same with other rows for those of the last day."""
        return replace(self, events=pl.concat([self.events.filter(~self.today), rows.select(self.events.columns)]))

    def updated(self, chosen: NDArray[np.bool_], **values: pl.Expr) -> "Batch":
        """The same with some columns changed where `chosen` holds for the last day's rows."""
        at = pl.lit(pl.Series(chosen))
        return self.changed(
            self.rows.with_columns(pl.when(at).then(value).otherwise(pl.col(c)).alias(c) for c, value in values.items())
        )

    def fresh(self, rows: pl.DataFrame, name: str) -> pl.DataFrame:
        """Rows under new event ids."""
        return rows.with_columns(pl.format(f"{name}-{{}}", pl.int_range(pl.len())).alias(Columns.EventId))


Plant = Callable[[Batch, float, np.random.Generator], Batch]
"""(clean delivery, strength, random numbers) -> the delivery with the fault"""


@dataclass(frozen=True)
class Fault:
    """One class of fault at several strengths."""

    plant: Plant
    strengths: tuple[float, ...]
    """weakest first"""
    unit: str
    """what a strength is"""


def some(rows: pl.DataFrame, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A random share of rows, at least one."""
    chosen = np.zeros(rows.height, dtype=bool)
    chosen[rng.permutation(rows.height)[: max(1, round(share * rows.height))]] = True
    return chosen


def some_ids(rows: pl.DataFrame, column: str, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The rows of a random share of ids."""
    ids = rows[column].unique().sort()
    picked = ids.gather(rng.permutation(len(ids))[: max(1, round(share * len(ids)))])
    return rows[column].is_in(picked.implode()).to_numpy()
