"""The profile: what a table of events is, in numbers, from one pass over all rows."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import polars as pl

from recloop.columns import Columns

RECENT = pl.duration(days=28)
RECENT_DAYS = 28.0
QUANTILES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)
DAY = 86_400.0
FREE, UNKNOWN = "0", "unknown"
FREE_BIN = -(2**15)

Counts = dict[str, int]


@dataclass(frozen=True)
class Profile:
    """Figures of the good rows, and how many rows are in quarantine and why. Every mapping is sorted by key."""

    rows: int
    """good rows and those in quarantine"""
    good: int
    quarantined: Counts
    """reason -> rows"""
    users: int
    items: int
    """that occur in good rows"""
    catalogue: int
    kinds: Counts
    """event -> rows"""
    nulls: Counts
    """column -> rows"""
    first: str | None
    """ISO 8601, UTC; None where there is no good row"""
    last: str | None
    events_a_day: float
    recent_events_a_day: float
    """in the last 28 days up to the last event"""
    volume_change: float | None
    """recent events a day against those before; None on less than 28 days before"""
    price: dict[str, float]
    """quantile -> price; empty where no price is known"""
    quantity: dict[str, float]
    top_item_share: float
    """of the good rows"""
    gini: float
    """of the events of the items that occur: 0 all alike, near 1 all on few"""
    new_item_share: float | None
    """of the items of the last 28 days, those that never occurred before; None on less than 28 days before"""
    by_category: Counts
    """widest category -> rows"""
    by_price: Counts
    """lower edge of the price's power of two -> rows"""
    by_hour: Counts
    """hour of the day, UTC, two digits -> rows"""

    @property
    def bad_share(self) -> float:
        """Share of all rows in quarantine; 0 where there is no row."""
        return (self.rows - self.good) / self.rows if self.rows else 0.0

    def save(self, path: Path) -> None:
        """Write canonical JSON."""
        path.write_text(json.dumps(asdict(self), sort_keys=True, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Profile":
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text()))


def profile(good: pl.DataFrame, quarantine: pl.DataFrame, items: pl.DataFrame) -> Profile:
    """Judged events -> their profile, in one lazy pass. Any of the tables may be empty."""
    rows = good.lazy()
    scalars, per_item, kinds, prices, hours, reasons = pl.collect_all(
        [
            rows.select(*_scalars(), *_nulls(good)),
            _per_item(rows),
            _counted(rows, pl.col(Columns.Event)),
            _named(_binned(rows, _price_bin()), _edge()),
            _named(_binned(rows, pl.col(Columns.Time).dt.hour()), pl.format("{}", "bin").str.zfill(2)),
            _counted(quarantine.lazy(), pl.col(Columns.Reason)),
        ]
    )
    categories = _by_category(per_item, items)
    one = scalars.row(0, named=True)
    return Profile(
        rows=good.height + quarantine.height,
        good=good.height,
        quarantined=_counts(reasons),
        users=one["users"],
        items=per_item.height,
        catalogue=items.height,
        kinds=_counts(kinds),
        nulls={c: one[f"null {c}"] for c in sorted(good.columns)},
        first=one["first"].isoformat() if good.height else None,
        last=one["last"].isoformat() if good.height else None,
        **_volume(one, good.height),
        price=_quantiles(one, Columns.Price),
        quantity=_quantiles(one, Columns.Quantity),
        **_popularity(per_item, one["long"]),
        by_category=_counts(categories),
        by_price=_counts(prices),
        by_hour=_counts(hours),
    )


def _recent() -> pl.Expr:
    time = pl.col(Columns.Time)
    return time > time.max() - RECENT


def _scalars() -> list[pl.Expr]:
    time = pl.col(Columns.Time)
    return [
        pl.col(Columns.User).n_unique().alias("users"),
        time.min().alias("first"),
        time.max().alias("last"),
        ((time.max() - time.min()).dt.total_seconds() / DAY).alias("days"),
        ((time.max() - time.min()) >= 2 * RECENT).alias("long"),
        _recent().sum().alias("recent"),
        *(pl.col(c).quantile(list(QUANTILES), "nearest").alias(c) for c in (Columns.Price, Columns.Quantity)),
    ]


def _nulls(good: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col(c).null_count().alias(f"null {c}") for c in good.columns]


def _per_item(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Events of each item, most first, and whether it occurs only in the last 28 days, or in them at all."""
    return (
        rows.with_columns(_recent().alias("recent"))
        .group_by(Columns.Item)
        .agg(pl.len().alias("events"), pl.col("recent").all().alias("new"), pl.col("recent").any())
        .sort("events", Columns.Item, descending=[True, False])
    )


def _by_category(per_item: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Events of each widest category: of its items'."""
    widest = pl.col(Columns.Category).str.split(" > ").list.first().alias("key")
    named = per_item.lazy().join(items.lazy().select(Columns.Item, widest), on=Columns.Item, how="left")
    counted = named.group_by(pl.col("key").fill_null(UNKNOWN)).agg(pl.col("events").sum().alias("rows"))
    return counted.sort("key").collect()


def _price_bin() -> pl.Expr:
    """The power of two below a price; FREE_BIN for nothing, null where unknown."""
    price = pl.col(Columns.Price)
    return (
        pl.when(price > 0).then(price.log(2).floor().cast(pl.Int16)).when(price == 0).then(pl.lit(FREE_BIN, pl.Int16))
    )


def _edge() -> pl.Expr:
    return pl.when(pl.col("bin") == FREE_BIN).then(pl.lit(FREE)).otherwise(pl.format("{}", pl.lit(2.0).pow("bin")))


def _binned(rows: pl.LazyFrame, by: pl.Expr) -> pl.LazyFrame:
    return rows.group_by(by.alias("bin")).agg(pl.len().alias("rows"))


def _named(bins: pl.LazyFrame, name: pl.Expr) -> pl.LazyFrame:
    """Bins by their names, which are made once a bin and not once a row."""
    known = pl.when(pl.col("bin").is_not_null()).then(name).otherwise(pl.lit(UNKNOWN))
    return bins.select(known.alias("key"), "rows").sort("key")


def _counted(rows: pl.LazyFrame, by: pl.Expr) -> pl.LazyFrame:
    return rows.group_by(by.fill_null(UNKNOWN).alias("key")).agg(pl.len().alias("rows")).sort("key")


def _counts(frame: pl.DataFrame) -> Counts:
    return dict(cast("list[tuple[str, int]]", frame.rows()))


def _volume(one: dict[str, Any], good: int) -> dict[str, Any]:
    days = max(one["days"] or 0.0, 1.0)
    recent = one["recent"] / min(days, RECENT_DAYS) if good else 0.0
    before = (good - one["recent"]) / (days - RECENT_DAYS) if one["long"] else None
    return {
        "events_a_day": good / days,
        "recent_events_a_day": recent,
        "volume_change": recent / before if before else None,
    }


def _quantiles(one: dict[str, Any], column: str) -> dict[str, float]:
    return {str(q): value for q, value in zip(QUANTILES, one[column], strict=True) if value is not None}


def _popularity(per_item: pl.DataFrame, long: bool | None) -> dict[str, Any]:
    """Gini by the ranked sum: 1 + 1/n - 2 * sum(rank * events) / (n * sum(events)), rank 1 the most taken."""
    events, n = per_item["events"], per_item.height
    total = int(events.sum())
    if not total:
        return {"top_item_share": 0.0, "gini": 0.0, "new_item_share": None}
    ranked = int((events.cast(pl.Int64) * pl.int_range(1, n + 1, eager=True)).sum())
    recent = per_item.filter("recent")
    return {
        "top_item_share": int(events[0]) / total,
        "gini": 1 + 1 / n - 2 * ranked / (n * total),
        "new_item_share": int(recent["new"].sum()) / recent.height if long else None,
    }
