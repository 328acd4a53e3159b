"""The dataset artefact: coded events, a catalogue, vocabularies and the moments that split time."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.data.histories import Histories
from recloop.data.vocabulary import Vocabulary

DAY = 86_400


@dataclass(frozen=True)
class Split:
    """Moments in seconds since the epoch: train < validation_start <= validation < test_start <= test < end."""

    validation_start: int
    test_start: int
    end: int


@dataclass(frozen=True)
class Truth:
    """What n users really took in a window, as one ragged table of distinct items a user."""

    users: NDArray[np.int32]  # [n] user codes, those with at least one item
    offsets: NDArray[np.int64]  # [n + 1]
    items: NDArray[np.int32]  # [pairs] item codes; 0 where the item is not in the vocabulary (a sure miss)
    spend: NDArray[np.float64]  # [pairs] money paid
    new: NDArray[np.bool_]  # [pairs] the user never took the item before the window


@dataclass(frozen=True)
class Dataset:
    """Everything a model may learn from, and the test period that it may not.

    events: user (i32 code), item (i32 code, 0 = outside the vocabulary), item_id, time (i64 seconds), price, quantity,
    discount (f32), basket_id, store_id; sorted by user, time, event_id.
    catalogue: one row a known item, ordered by code 1..n: item, item_id, title, category, brand.
    """

    events: pl.DataFrame
    catalogue: pl.DataFrame
    users: Vocabulary
    items: Vocabulary
    split: Split

    def histories(self, *, before: int, users: NDArray[np.int32] | None = None, since: int | None = None) -> Histories:
        """Known items that each user took before a moment; users default to all, in code order 1..n."""
        codes = np.arange(1, len(self.users) + 1, dtype=np.int32) if users is None else users
        return histories(self.events, codes, before=before, since=since)

    def truth(self, *, start: int, end: int) -> Truth:
        """What users with at least one earlier event took in [start, end)."""
        return truth(self.events, start=start, end=end)

    def save(self, folder: Path) -> None:
        """Write events.parquet, catalogue.parquet, users.json, items.json, split.json."""
        self.events.write_parquet(folder / "events.parquet")
        self.catalogue.write_parquet(folder / "catalogue.parquet")
        self.users.save(folder / "users.json")
        self.items.save(folder / "items.json")
        (folder / "split.json").write_text(json.dumps(self.split.__dict__, sort_keys=True))

    @classmethod
    def load(cls, folder: Path) -> "Dataset":
        """Read what `save` wrote."""
        return cls(
            events=pl.read_parquet(folder / "events.parquet"),
            catalogue=pl.read_parquet(folder / "catalogue.parquet"),
            users=Vocabulary.load(folder / "users.json"),
            items=Vocabulary.load(folder / "items.json"),
            split=Split(**json.loads((folder / "split.json").read_text())),
        )


def histories(events: pl.DataFrame, users: NDArray[np.int32], *, before: int, since: int | None = None) -> Histories:
    """Coded events -> Histories of `users` (distinct codes, any order) from events of known items before a moment."""
    kept = events.filter((pl.col(Columns.Time) < before) & (pl.col(Columns.ItemCode) > 0))
    if since is not None:
        kept = kept.filter(pl.col(Columns.Time) >= since)
    order = pl.DataFrame({Columns.UserCode: users, "row": np.arange(len(users), dtype=np.int64)})
    kept = kept.join(order, on=Columns.UserCode, how="inner").sort("row", Columns.Time, maintain_order=True)
    counts = np.bincount(kept["row"].to_numpy(), minlength=len(users))
    return Histories(
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        items=kept[Columns.ItemCode].to_numpy().astype(np.int32),
        times=kept[Columns.Time].to_numpy().astype(np.int64),
        prices=kept[Columns.Price].to_numpy().astype(np.float32),
        quantities=kept[Columns.Quantity].to_numpy().astype(np.float32),
        discounts=kept[Columns.Discount].to_numpy().astype(np.float32),
        now=np.full(len(users), before, dtype=np.int64),
    )


def truth(events: pl.DataFrame, *, start: int, end: int) -> Truth:
    """Coded events -> Truth of [start, end) for users who have at least one event before it."""
    user, item, raw = Columns.UserCode, Columns.ItemCode, Columns.Item
    past = events.filter(pl.col(Columns.Time) < start)
    window = events.filter((pl.col(Columns.Time) >= start) & (pl.col(Columns.Time) < end))
    pairs = (
        window.join(past.select(user).unique(), on=user, how="semi")
        .group_by(user, raw)
        .agg(pl.col(item).first(), (pl.col(Columns.Price) * pl.col(Columns.Quantity)).sum().alias("spend"))
        .join(past.select(user, raw).unique().with_columns(seen=True), on=[user, raw], how="left")
        .sort(user, item, raw)
    )
    users, counts = np.unique(pairs[user].to_numpy(), return_counts=True)
    return Truth(
        users=users.astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        items=pairs[item].to_numpy().astype(np.int32),
        spend=pairs["spend"].to_numpy().astype(np.float64),
        new=pairs["seen"].is_null().to_numpy(),
    )


def epoch(moment: datetime) -> int:
    """Aware datetime -> whole seconds since the epoch."""
    return int(moment.timestamp())
