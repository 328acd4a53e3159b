"""events -> the rows of the days that matter, with hashed ids, local days and hours, and prices against the usual."""

import polars as pl

from recloop.columns import Columns

DAY, HOUR, ROWS, USERS, KEY = "day", "hour", "rows", "users", "key"
DAY_US = 86_400_000_000
DAY_SLOTS = 288
"""stretches of five minutes"""
BACK = 28
"""days before a day that figures compare it with"""
JUMP = 0.56
"""a price this far from the item's usual one, in natural logarithms, has jumped (factor 1.75)"""
SHAPES = ((r"[0-9]+", "9"), (r"[A-Za-z]+", "a"))
"""what the shape of an id leaves of it"""
CODES = {Columns.User: "u", Columns.Item: "i"}
"""id -> the column of its hash"""
USER, ITEM = pl.col(CODES[Columns.User]), pl.col(CODES[Columns.Item])


def local(zone: str) -> pl.Expr:
    """Microseconds since 1970 on the clocks of a zone."""
    time = pl.col(Columns.Time)
    return (time if zone == "UTC" else time.dt.convert_time_zone(zone).dt.replace_time_zone(None)).to_physical()


def number(zone: str) -> pl.Expr:
    """The day of an event, or of what else has a time."""
    return (local(zone) // DAY_US).cast(pl.Int32).alias(DAY)


def window(good: pl.DataFrame, items: pl.DataFrame, *, since: int, zone: str) -> pl.DataFrame:
    """Good events, sorted by time -> those from the day `since` on, with what the figures need of them.

    Adds day, hour, second (of the day), u and i (hashes of the ids), log_price, off (the logarithm of the price against
    the mean of the item's earlier ones in the window; null without one) and the widest category.
    """
    micros = good[Columns.Time].to_physical()
    start = int(micros.search_sorted((since - 1) * DAY_US, side="left")) if good.height else 0
    of_day = local(zone) % DAY_US
    rows = (
        good.slice(start)
        .lazy()
        .with_columns(
            number(zone),
            (of_day // 3_600_000_000).cast(pl.Int8).alias(HOUR),
            (of_day // 1_000_000).cast(pl.Int32).alias("second"),
            *(pl.col(c).hash().alias(a) for c, a in CODES.items()),
            pl.when(pl.col(Columns.Price) > 0).then(pl.col(Columns.Price).log()).alias("log_price"),
        )
        .filter(pl.col(DAY) >= since)
    )
    widest = pl.col(Columns.Category).cast(pl.String).str.split(" > ").list.first()
    wares = items.lazy().select(pl.col(Columns.Item).hash().alias("i"), widest.alias(Columns.Category)).unique("i")
    log = pl.col("log_price")
    usual = ((log.cum_sum() - log) / (log.cum_count() - 1)).over("i")
    return (
        rows.with_columns((log - usual).fill_nan(None).alias("off"))
        .join(wares, on="i", how="left", maintain_order="left")
        .collect()
    )


def seen(good: pl.DataFrame, *, zone: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All good events -> of users and of items: the day each id was first seen, and that on which one of its shape was."""
    every = good.lazy().select(
        Columns.Time, Columns.User, Columns.Item, *(pl.col(c).hash().alias(a) for c, a in CODES.items())
    )
    users, wares = pl.collect_all([_ids(every, USER, Columns.User, zone), _ids(every, ITEM, Columns.Item, zone)])
    return users, wares


def _ids(every: pl.LazyFrame, code: pl.Expr, column: str, zone: str) -> pl.LazyFrame:
    """code -> first and shape_first, days."""
    shape = pl.col(column)
    for pattern, rest in SHAPES:
        shape = shape.str.replace_all(pattern, rest)
    ids = every.group_by(code).agg(pl.col(Columns.Time).min(), pl.col(column).first())
    days = ids.with_columns(number(zone).alias("first"))
    return days.with_columns(pl.col("first").min().over(shape).alias("shape_first")).drop(column, Columns.Time)
