"""Faults of time: clocks ahead and behind, zones, gaps, days cut short, labels that come late."""

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.quality.faults.batch import DAY, Batch, some

MICROS = 3_600_000_000


def future_events(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Clocks three days ahead."""
    return batch.updated(some(batch.rows, share, rng), time=pl.col(Columns.Time) + pl.duration(days=3))


def clock_behind(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Clocks three days behind: rows fall on days that were checked before."""
    return batch.updated(some(batch.rows, share, rng), time=pl.col(Columns.Time) - pl.duration(days=3))


def unreadable_times(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Times in a form that cannot be read."""
    chosen = some(batch.rows, share, rng)
    nothing = pl.lit(None, batch.events.schema[Columns.Time])
    return batch.updated(chosen, time=nothing, reason=pl.lit("unreadable_time"), detail=pl.lit("time=31.12. 25:61"))


def zone_shift(batch: Batch, hours: float, rng: np.random.Generator) -> Batch:
    """Every time moved by hours; what leaves the day at one end comes in at the other, as in a feed that is shifted for good."""
    del rng
    start = int(batch.start.timestamp() * 1e6)
    moved = (pl.col(Columns.Time).to_physical() - start + int(hours * MICROS)) % (24 * MICROS) + start
    return batch.changed(batch.rows.with_columns(moved.cast(batch.events.schema[Columns.Time]).alias(Columns.Time)))


def gap(batch: Batch, hours: float, rng: np.random.Generator) -> Batch:
    """An outage in the busy part of the day."""
    middle = batch.rows[Columns.Time].median()
    begin = pl.lit(middle) - pl.duration(minutes=int(hours * 60 * (0.3 + 0.4 * rng.random())))
    inside = (pl.col(Columns.Time) >= begin) & (pl.col(Columns.Time) < begin + pl.duration(minutes=int(hours * 60)))
    return batch.changed(batch.rows.filter(~inside))


def cut_short(batch: Batch, hours: float, rng: np.random.Generator) -> Batch:
    """The export was made hours before the shop closed."""
    del rng
    end = batch.rows[Columns.Time].max()
    return batch.changed(batch.rows.filter(pl.col(Columns.Time) < pl.lit(end) - pl.duration(minutes=int(hours * 60))))


def label_delay(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Rows of the day before arrive only now."""
    before = batch.events.filter((pl.col(Columns.Time) >= batch.start - DAY) & (pl.col(Columns.Time) < batch.start))
    late = batch.fresh(before.filter(some(before, share, rng)), "late")
    return batch.changed(pl.concat([batch.rows, late]))
