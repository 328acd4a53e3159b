"""events -> cubes: everything the watch needs to know of the days, counted in one pass over the rows.

Days and hours are those of the customers' zone; a day is its number since 1970. Ids are compared by 64-bit hashes, which
never leave memory.
"""

from dataclasses import dataclass

import polars as pl

from recloop.columns import Columns
from recloop.quality.watch.surges import strangers, surging
from recloop.quality.watch.window import BACK, DAY, DAY_SLOTS, HOUR, ITEM, JUMP, KEY, ROWS, USER, USERS

NULLABLE = (Columns.Price, Columns.Basket, Columns.Store, Columns.Rating)
DAYS = 1 << 16
"""values of the low bits of a pair, which hold its day; 48 bits tell pairs apart"""
MIDDLE = DAYS // 2
"""the value of 1970-01-01"""


@dataclass(frozen=True)
class Cubes:
    """Small tables by day; `day` is the number since 1970."""

    days: pl.DataFrame
    """a row a day: rows, users, shares of nulls, means, copies, replays, ..."""
    hours: pl.DataFrame
    """day, key (hour) -> rows, users"""
    slots: pl.DataFrame
    """day, key (five minutes) -> rows, users"""
    stores: pl.DataFrame
    """day, key -> rows, users; price_off: the median logarithm of the price against the item's usual one"""
    kinds: pl.DataFrame
    """day, key -> rows, users"""
    categories: pl.DataFrame
    """day, key -> rows, users"""


def cubes(window: pl.DataFrame, seen: tuple[pl.DataFrame, pl.DataFrame]) -> Cubes:
    """The window's rows, and what was seen when -> Cubes of the window's days."""
    rows = window.lazy()
    *scalars, hours, slots, stores, kinds, categories = pl.collect_all(
        [
            _scalars(rows),
            _people(rows),
            _popularity(rows),
            _repeats(rows),
            _copies(rows),
            _new(rows, seen[0], USER, Columns.User),
            _new(rows, seen[1], ITEM, Columns.Item),
            surging(rows),
            strangers(rows),
            _grouped(rows, pl.col(HOUR)),
            _grouped(rows, pl.col("second") // (86_400 // DAY_SLOTS)),
            *(_grouped(rows, pl.col(column)) for column in (Columns.Store, Columns.Event, Columns.Category)),
        ]
    )
    return Cubes(_joined(scalars), hours, slots, stores, kinds, categories)


def _new(rows: pl.LazyFrame, ids: pl.DataFrame, code: pl.Expr, column: str) -> pl.LazyFrame:
    """Share of the day's rows whose id is new that day, and whose id has a shape that is new that day."""
    each = rows.group_by(DAY, code).agg(pl.len().alias("n")).join(ids.lazy(), on=code.meta.output_name())
    here, total = pl.col("n"), pl.col("n").sum()
    return each.group_by(DAY).agg(
        (here.filter(pl.col("first") == pl.col(DAY)).sum() / total).alias(f"new_{column}"),
        (here.filter(pl.col("shape_first") == pl.col(DAY)).sum() / total).alias(f"odd_{column}"),
    )


def _scalars(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by(DAY).agg(
        pl.len().alias(ROWS),
        *(pl.col(c).null_count().truediv(pl.len()).alias(f"null_{c}") for c in NULLABLE),
        pl.col(Columns.Quantity).log1p().mean().alias("quantity"),
        (pl.col(Columns.Discount) > 0).mean().alias("discounted"),
        (pl.col(Columns.Price) == 0).fill_null(False).mean().alias("free"),
        pl.col("off").mean().alias("price_level"),
        (pl.col("off").abs() > JUMP).mean().alias("price_jumps"),
        (pl.col("second").max() / 3600).alias("last"),
    )


def _people(rows: pl.LazyFrame) -> pl.LazyFrame:
    each = rows.group_by(DAY, USER).agg(pl.len().alias("n"), pl.col("second").n_unique().alias("moments"))
    return each.group_by(DAY).agg(
        pl.len().alias(USERS),
        pl.col("n").max().alias("busiest_user"),
        pl.col("moments").max().alias("busiest_moments"),
        pl.col("n").top_k(10).sum().truediv(pl.col("n").sum()).alias("busiest_ten"),
    )


def _popularity(rows: pl.LazyFrame) -> pl.LazyFrame:
    each = rows.group_by(DAY, ITEM).agg(pl.len().alias("n"))
    return each.group_by(DAY).agg(
        pl.col("n").max().truediv(pl.col("n").sum()).alias("top_item"),
        pl.len().truediv(pl.col("n").sum()).alias("variety"),
    )


def _repeats(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Share of the day's pairs of user and item that were seen in the 28 days before."""
    day = (pl.col(DAY) + MIDDLE).cast(pl.UInt64)
    keys = rows.select((pl.struct("u", "i").hash() // DAYS * DAYS + day).alias("pair"))
    ordered = keys.unique().sort("pair")  # one column of numbers, not two columns
    pairs = ordered.select(pl.col("pair") // DAYS, (pl.col("pair") % DAYS).cast(pl.Int32).alias(DAY) - MIDDLE)
    same = pl.col("pair") == pl.col("pair").shift(1)
    again = same & (pl.col(DAY) - pl.col(DAY).shift(1) <= BACK)
    return (
        pairs.with_columns(again.fill_null(False).alias("again"))
        .group_by(DAY)
        .agg(pl.col("again").mean().alias("repeats"))
    )


def _copies(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Shares of rows that repeat user, item and kind within a minute, and user, item and second of an earlier day."""
    minute = pl.struct("u", "i", Columns.Event, DAY, pl.col("second") // 60).hash().alias("minute")
    moment = pl.struct("u", "i", "second").hash().alias("moment")
    keys = rows.select(DAY, minute, moment)
    first = keys.group_by("moment").agg(pl.col(DAY).min().alias("first"))
    return (
        keys.with_columns((~pl.col("minute").is_first_distinct()).alias("again"))
        .join(first, on="moment")
        .group_by(DAY)
        .agg(pl.col("again").mean().alias("doubled"), (pl.col("first") < pl.col(DAY)).mean().alias("replayed"))
    )


def _grouped(rows: pl.LazyFrame, column: pl.Expr) -> pl.LazyFrame:
    return rows.group_by(DAY, column.cast(pl.String).fill_null("").alias(KEY)).agg(
        pl.len().alias(ROWS),
        USER.n_unique().alias(USERS),
        pl.col("off").median().alias("price_off"),
        pl.col("off").count().alias("priced"),
    )


def _joined(parts: list[pl.DataFrame]) -> pl.DataFrame:
    days, *more = parts
    for part in more:
        days = days.join(part, on=DAY, how="left")
    return days.sort(DAY)
