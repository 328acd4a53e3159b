"""Faults of what is missing or too much: shops, departments, visits, users, the catalogue."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.quality.faults.batch import DAY, Batch, some_ids
from recloop.quality.faults.money import largest


def silent_store(batch: Batch, days: float, rng: np.random.Generator) -> Batch:
    """One of the five largest shops sends nothing for some days up to the last."""
    shop = largest(batch.events, Columns.Store, int(rng.integers(5)))
    since = batch.start + DAY - timedelta(days=days)
    lost = (pl.col(Columns.Store) == shop).fill_null(False) & (pl.col(Columns.Time) >= since).fill_null(False)
    return replace(batch, events=batch.events.filter(~lost))


def silent_department(batch: Batch, rank: float, rng: np.random.Generator) -> Batch:
    """Nothing of one department, the second to the sixth largest."""
    del rng
    widest = pl.col(Columns.Category).str.split(" > ").list.first().alias("department")
    rows = batch.rows.join(batch.items.select(Columns.Item, widest), on=Columns.Item, how="left")
    lost = largest(rows, "department", int(-rank))
    return batch.changed(rows.filter(pl.col("department").ne_missing(pl.lit(lost))))


def lost_visits(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """A share of the visits did not arrive."""
    return batch.changed(batch.rows.filter(~some_ids(batch.rows, Columns.Basket, share, rng)))


def lost_users(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Nothing of a share of the users, as when consent or a cookie breaks."""
    return batch.changed(batch.rows.filter(~some_ids(batch.rows, Columns.User, share, rng)))


def lost_rows(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """A share of the rows inside visits did not arrive."""
    return batch.changed(batch.rows.filter(rng.random(batch.rows.height) >= share))


def foreign_rows(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Visits of other days of the week come with the day, at other moments; as a share of its rows."""
    others = batch.events.filter(~batch.today)
    moved = pl.lit(batch.start) + pl.duration(microseconds=pl.col(Columns.Time).to_physical() % 86_400_000_000)
    taken = others.sample(int(share * batch.rows.height), seed=int(rng.integers(2**31)))
    later = (moved + pl.duration(seconds=int(rng.integers(60, 600)))).cast(taken.schema[Columns.Time])
    foreign = batch.fresh(taken.with_columns(later.alias(Columns.Time)).filter(batch.today), "foreign")
    return batch.changed(pl.concat([batch.rows, foreign]))


def catalogue_cut(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """A share of the catalogue is missing."""
    return replace(batch, items=batch.items.filter(~some_ids(batch.items, Columns.Item, share, rng)))


def catalogue_out_of_step(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """A share of the catalogue has the titles and categories of other items."""
    chosen = some_ids(batch.items, Columns.Item, share, rng)
    order = np.arange(batch.items.height)
    order[chosen] = np.roll(order[chosen], 1)
    other = batch.items.select(Columns.Title, Columns.Category)[order]
    return replace(batch, items=batch.items.with_columns(other.get_columns()))


def catalogue_encoding(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Titles of a share of the items written in one encoding and read in another."""
    chosen = pl.lit(pl.Series(some_ids(batch.items, Columns.Item, share, rng)))
    title = pl.col(Columns.Title)
    garbled = pl.when(chosen).then(pl.lit("\u00c3\u00bc") + title).otherwise(title)
    return replace(batch, items=batch.items.with_columns(garbled.alias(Columns.Title)))
