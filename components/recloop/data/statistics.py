"""What is known of each item as of a cut: popularity, price, repeat and trend. Nothing after the cut enters."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import load_file

from recloop import tensors
from recloop.columns import Columns
from recloop.data.habits import habits
from recloop.data.histories import Histories

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
UNKNOWN_GAP = 60.0  # days, for items that nobody bought twice


@dataclass(frozen=True)
class ItemStatistics:
    """One value an item code 0..n (0 is padding)."""

    pop7: F32  # purchases in the last 7 days
    pop28: F32
    pop90: F32
    pop: F32  # purchases in all
    buyers: F32  # distinct users
    repeat: F32  # share of buyers who came back for it
    gap: F32  # mean days between purchases of one user
    price: F32  # mean price of a unit
    price28: F32  # the same, last 28 days
    discount: F32  # mean share of the shelf price taken off
    discount28: F32
    age: F32  # days since the first purchase by anyone
    department: I32  # code of the first part of the category path
    category: I32  # code of the first two parts

    def __len__(self) -> int:
        return len(self.pop)

    def save(self, path: Path) -> None:
        """Write safetensors."""
        tensors.save({f.name: getattr(self, f.name) for f in fields(self)}, path)

    @classmethod
    def load(cls, path: Path) -> "ItemStatistics":
        """Read what `save` wrote."""
        return cls(**load_file(path))


def item_statistics(histories: Histories, catalogue: pl.DataFrame) -> ItemStatistics:
    """Histories of all users up to one moment, catalogue -> ItemStatistics as of that moment."""
    n = catalogue.height + 1
    items = histories.items
    age = ((np.repeat(histories.now, histories.lengths) - histories.times) / 86_400).astype(np.float32)
    habit = habits(histories, n)
    buyers = np.bincount(habit.items, minlength=n)
    repeated = habit.days > 1
    repeaters = np.bincount(habit.items[repeated], minlength=n)
    gap = _mean(habit.items[repeated], habit.gap[repeated], n)
    recent = age < 28
    price = _mean(items, histories.prices, n)
    price28 = _mean(items[recent], histories.prices[recent], n)
    department, category = _codes(catalogue)
    return ItemStatistics(
        pop7=_count(items[age < 7], n),
        pop28=_count(items[recent], n),
        pop90=_count(items[age < 90], n),
        pop=_count(items, n),
        buyers=buyers.astype(np.float32),
        repeat=(repeaters / np.maximum(buyers, 1)).astype(np.float32),
        gap=np.where(repeaters > 0, gap, UNKNOWN_GAP).astype(np.float32),
        price=price,
        price28=np.where(price28 > 0, price28, price).astype(np.float32),
        discount=_mean(items, histories.discounts, n),
        discount28=_mean(items[recent], histories.discounts[recent], n),
        age=_oldest(items, age, n),
        department=department,
        category=category,
    )


def _count(items: I32, n: int) -> F32:
    return np.bincount(items, minlength=n).astype(np.float32)


def _mean(items: NDArray[np.integer], values: F32, n: int) -> F32:
    total = np.bincount(items, weights=values, minlength=n)
    return (total / np.maximum(np.bincount(items, minlength=n), 1)).astype(np.float32)


def _oldest(items: I32, age: F32, n: int) -> F32:
    found = np.zeros(n, dtype=np.float32)
    np.maximum.at(found, items, age)
    return found


def _codes(catalogue: pl.DataFrame) -> tuple[I32, I32]:
    """Dense codes of the category path's first part and first two parts; 0 for padding."""
    parts = catalogue[Columns.Category].str.split(" > ")
    paths = (parts.list.first().fill_null(""), parts.list.head(2).list.join(" > ").fill_null(""))
    dense = [pl.concat([pl.Series([""]), p]).rank("dense").to_numpy().astype(np.int32) - 1 for p in paths]
    return dense[0], dense[1]
