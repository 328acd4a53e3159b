"""Answers and events -> which purchase belongs to which answer (last touch).

A purchase is *credited* to the latest answer in the window before it that showed the item to that user. One that is
not credited is a *miss* of the latest answer that the user got in the window. So each purchase belongs to one answer
at most.
"""

from datetime import datetime, timedelta

import polars as pl

from recloop.columns import Columns
from recloop.feedback.segments import ASKED

User, Item, Time, Receipt = Columns.User, Columns.Item, Columns.Time, Columns.Receipt
Release, Position, Origin = Columns.Release, Columns.Position, "origin"


def attribute(answers: pl.DataFrame, events: pl.DataFrame, *, hours: float) -> pl.DataFrame:
    """Answers and events -> one row a purchase, sorted by time and event id.

    event_id, user_id, item_id, time, revenue (price x quantity); receipt_id, release, answered (time of the answer) of
    the answer it belongs to, null where there was none in `hours` before it; position (1 is the first shown) and
    origin, null where that answer did not show the item.
    """
    bought = (
        events.filter(pl.col(Columns.Event) == "purchase")
        .with_columns((pl.col(Columns.Price) * pl.col(Columns.Quantity)).fill_null(0.0).alias("revenue"))
        .select(Columns.EventId, User, Item, Time, "revenue")
        .sort(Time, Columns.EventId)
    )
    known = answers.filter(pl.col(User).is_not_null()).sort(Time, Receipt).with_columns(pl.col(Time).alias("answered"))
    head = known.select(User, Time, Receipt, Release, "answered")
    window = timedelta(hours=hours)
    credited = _before(bought, shown(known), by=[User, Item], window=window)
    judged = _before(bought, head, by=[User], window=window)
    missed = pl.col(Position).is_null()
    own = [
        pl.when(missed).then(pl.col(f"{c}_latest")).otherwise(pl.col(c)).alias(c)
        for c in (Receipt, Release, "answered")
    ]
    latest = judged.select(pl.col(c).alias(f"{c}_latest") for c in (Receipt, Release, "answered"))
    return (
        credited.hstack(latest)
        .with_columns(own)
        .select(*bought.columns, Receipt, Release, "answered", Position, Origin)
    )


def shown(answers: pl.DataFrame) -> pl.DataFrame:
    """Answers -> one row a shown item, in their order, with its position (1 is the first) and origin."""
    place = pl.int_ranges(1, pl.col("items").list.len() + 1).alias(Position)
    origins = pl.coalesce("origins", pl.col("items").list.eval(pl.lit(None, pl.String)))
    columns = [c for c in (User, Time, Receipt, Release, "answered") if c in answers.columns]
    return (
        answers.select(*columns, pl.col("items").alias(Item), origins.alias(Origin), place)
        .filter(pl.col(Item).list.len() > 0)
        .explode(Item, Origin, Position)
    )


def _before(bought: pl.DataFrame, touches: pl.DataFrame, *, by: list[str], window: timedelta) -> pl.DataFrame:
    """Each purchase with the latest touch at most `window` before it; order and height of `bought`."""
    return bought.join_asof(touches, on=Time, by=by, strategy="backward", tolerance=window, check_sortedness=False)


def outcomes(answers: pl.DataFrame, attributed: pl.DataFrame, *, k: int, hours: float, until: datetime) -> pl.DataFrame:
    """What came of each answer whose window has closed at `until`, sorted by time and receipt.

    receipt_id, user_id, release, time, asked (the kind of request); shown: items among the first k; bought: distinct items
    of the purchases that belong to it; hits: those credited among the first k; revenue; hit_revenue; gain: sum of
    1 / log2(position + 1) over the hits; ideal: the same sum for min(k, bought) items in front [Jarvelin & Kekalainen 2002].
    """
    within = pl.col(Position).is_not_null() & (pl.col(Position) <= k)
    items = (
        attributed.filter(pl.col(Receipt).is_not_null())
        .group_by(Receipt, Item)
        .agg(within.any().alias("hit"), pl.col(Position).min(), pl.col("revenue").sum())
    )
    discount = 1.0 / (pl.col(Position) + 1).log(2)
    counts = (
        items.sort(Receipt, Item)
        .group_by(Receipt, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("bought"),
            pl.col("hit").sum().cast(pl.Int64).alias("hits"),
            pl.col("revenue").sum(),
            pl.col("revenue").filter("hit").sum().alias("hit_revenue"),
            discount.filter("hit").sum().alias("gain"),
        )
    )
    closed = answers.filter(pl.col(User).is_not_null() & (pl.col(Time) <= until - timedelta(hours=hours)))
    joined = closed.select(
        Receipt,
        User,
        Release,
        Time,
        ASKED,
        pl.col("items").list.len().clip(upper_bound=k).cast(pl.Int64).alias("shown"),
    ).join(counts, on=Receipt, how="left", maintain_order="left")
    filled = joined.with_columns(pl.col("bought", "hits", "revenue", "hit_revenue", "gain").fill_null(0))
    return filled.with_columns(_ideal(k)).sort(Time, Receipt)


def _ideal(k: int) -> pl.Expr:
    steps = pl.Series([0.0, *(1.0 / pl.Series(range(2, k + 2)).log(2))], dtype=pl.Float64).cum_sum()
    return (
        pl.col("bought")
        .clip(upper_bound=k)
        .replace_strict(dict(enumerate(steps)), return_dtype=pl.Float64)
        .alias("ideal")
    )
