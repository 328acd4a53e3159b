"""Real events -> the shop that simulated shoppers visit: what is sold, how well, and how people buy."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.errors import BadData

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
User, Item, Time, Basket = Columns.User, Columns.Item, Columns.Time, Columns.Basket


@dataclass(frozen=True)
class Habits:
    """How people buy."""

    visits: float
    """a user and day"""
    basket: float
    """distinct items of a visit, mean"""
    spread: float
    """variance of that over its mean; 1 is Poisson"""
    repeat: float
    """share of a basket's items that the user bought in the weeks before"""


@dataclass(frozen=True)
class Shop:
    """n items in g groups, with how often each was bought and what it costs; and people's habits."""

    items: tuple[str, ...]
    fame: F64  # [n] share of all purchases
    groups: I64  # [n] 0..g-1
    prices: F64  # [n]
    habits: Habits

    @property
    def shares(self) -> F64:
        """Share of each group in all purchases. [g]"""
        return np.asarray(np.bincount(self.groups, weights=self.fame), dtype=np.float64)


def shop_of(events: pl.DataFrame, items: pl.DataFrame, *, days: int) -> Shop:
    """Purchases of the last `days` and the items' categories -> Shop. Raises BadData where nothing was bought.

    A group is the widest part of a category path.
    """
    bought = recent(events, days=days)
    counts = bought.group_by(Item).agg(pl.len().alias("n"), pl.col(Columns.Price).median().alias("price")).sort(Item)
    group = pl.col(Columns.Category).fill_null("").str.split(" > ").list.first().alias("group")
    table = counts.join(items.select(Item, group), on=Item, how="left", maintain_order="left")
    fame = table["n"].to_numpy().astype(np.float64)
    return Shop(
        items=tuple(table[Item]),
        fame=fame / fame.sum(),
        groups=table["group"].fill_null("").rank("dense").to_numpy().astype(np.int64) - 1,
        prices=np.maximum(table["price"].fill_null(1.0).to_numpy(), 0.01),
        habits=habits(bought, days=days),
    )


def recent(events: pl.DataFrame, *, days: int) -> pl.DataFrame:
    """The purchases of the last `days` of events. Raises BadData where there is none."""
    bought = events.filter(pl.col(Columns.Event) == "purchase")
    found = bought.filter(pl.col(Time) > pl.col(Time).max() - pl.duration(days=days))
    if found.is_empty():
        raise BadData("There is no purchase among the events: a shop is made of what was bought.")
    return found


def habits(bought: pl.DataFrame, *, days: int) -> Habits:
    """Purchases of a period of `days` -> Habits."""
    visits = pl.coalesce(pl.col(Basket), pl.concat_str(User, pl.col(Time).dt.date().cast(pl.String)))
    baskets = bought.with_columns(visits.alias("visit")).unique(["visit", User, Item], maintain_order=True)
    sizes = baskets.group_by("visit", User).len()["len"].to_numpy().astype(np.float64)
    return Habits(
        visits=len(sizes) / bought[User].n_unique() / days,
        basket=float(sizes.mean()),
        spread=max(1.0, float(sizes.var() / sizes.mean())),
        repeat=repeats(baskets, days=days),
    )


def repeats(baskets: pl.DataFrame, *, days: int) -> float:
    """Of the items in baskets of the second half of a period of `days`: the share that the same user bought before in it."""
    start = baskets[Time].min()
    first = pl.col(Time).min().over(User, Item)
    late = baskets.with_columns((pl.col(Time).dt.date() > first.dt.date()).alias("again")).filter(
        pl.col(Time) >= pl.lit(start) + pl.duration(hours=12 * days)
    )
    return float(late["again"].mean() or 0.0)  # type: ignore[arg-type]
