"""Ids that are not where they were: items that surge, and users in shops where they never are."""

import polars as pl

from recloop.columns import Columns
from recloop.quality.watch.window import BACK, DAY, ITEM, USER

BEFORE = (pl.col("then") < pl.col(DAY)) & (pl.col("then") >= pl.col(DAY) - BACK)
LEADING = 20
"""items of a day with the most rows, among which one surges"""


def surging(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The most that one item's share of the day's rows is above its share of the 28 days before."""
    each = rows.group_by(DAY, ITEM).agg(pl.len().alias("n"))
    total = each.group_by(DAY).agg(pl.col("n").sum().alias("total"))
    top = each.sort("n", "i", descending=True).group_by(DAY, maintain_order=True).head(LEADING).join(total, on=DAY)
    before = each.rename({DAY: "then", "n": "had"}).join(top.select("i", DAY), on="i")
    was = before.filter(BEFORE).group_by(DAY, "i").agg(pl.col("had").sum())
    of = total.rename({DAY: "then", "total": "of"}).join(total.select(DAY), how="cross").filter(BEFORE)
    usual = top.join(was, on=[DAY, "i"], how="left").join(of.group_by(DAY).agg(pl.col("of").sum()), on=DAY)
    above = pl.col("n") / pl.col("total") - pl.col("had").fill_null(0) / pl.col("of")
    return usual.group_by(DAY).agg(above.max().alias("surging_item"))


def strangers(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Share of the day's users known from the 28 days before who came only to shops in which they then never were."""
    visits = rows.drop_nulls(Columns.Store).select(USER, pl.col(Columns.Store).hash().alias("shop"), DAY).unique()
    recent = pl.col(DAY) - pl.col(DAY).shift(1) <= BACK
    known = visits.select("u", DAY).unique().sort(DAY).with_columns(recent.over("u").fill_null(False).alias("known"))
    there = visits.sort(DAY).with_columns(recent.over("u", "shop").fill_null(False).alias("there"))
    usual = there.group_by(DAY, "u").agg(pl.col("there").any()).join(known.filter("known"), on=[DAY, "u"])
    return usual.group_by(DAY).agg((~pl.col("there")).mean().alias("strangers"))
