"""The dataset artefact: coded events, a catalogue, vocabularies and the windows that split time."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.data.histories import Histories
from recloop.data.stores import store_codes
from recloop.data.truth import Truth, truth_of
from recloop.data.vocabulary import Vocabulary
from recloop.data.windows import Split, Window, windows

USER, ITEM, TIME = Columns.UserCode, Columns.ItemCode, Columns.Time

ATTRIBUTES = "attributes.parquet"
"""of users, in artefacts of events, checked and dataset"""


def read_attributes(folder: Path) -> pl.DataFrame | None:
    """What is known of users in an artefact's folder; None where nothing is."""
    path = folder / ATTRIBUTES
    return pl.read_parquet(path) if path.exists() else None


@dataclass(frozen=True)
class Dataset:
    """Everything a model may learn from, and the test window that it may not.

    events: user (i32 code, 0 = no event before the test), item (i32 code, 0 = outside the vocabulary), item_id, time (i64
    seconds), price, quantity, discount (f32), basket_id, store_id; sorted by user, time, event id.
    catalogue: one row a known item, ordered by code 1..n: item, item_id, title, category, brand.
    """

    events: pl.DataFrame
    catalogue: pl.DataFrame
    users: Vocabulary
    items: Vocabulary
    split: Split
    attributes: pl.DataFrame | None = None
    """user_id and what is known of users without an event, as words; None where nothing is"""

    def windows(self, earlier: int) -> tuple[Window, ...]:
        """The test window and `earlier` ones before it, newest first."""
        return windows(self.events, self.split, n_users=len(self.users), count=earlier + 1)

    @property
    def test(self) -> Window:
        """What is predicted in the scorecard."""
        return self.windows(0)[0]

    def before(self, window: Window) -> pl.DataFrame:
        """Events of known users and items that lie before each user's start of the window."""
        start = window.start[self.events[USER].to_numpy()]
        return self.events.filter((pl.col(TIME) < pl.Series(start)) & (pl.col(ITEM) > 0) & (pl.col(USER) > 0))

    def truth(self, window: Window) -> Truth:
        """What users with at least one earlier event took in the window."""
        return truth_of(self.events, window)

    def save(self, folder: Path) -> None:
        """Write events.parquet, catalogue.parquet, users.json, items.json, split.json."""
        self.events.write_parquet(folder / "events.parquet", compression_level=1)
        self.catalogue.write_parquet(folder / "catalogue.parquet")
        self.users.save(folder / "users.json")
        self.items.save(folder / "items.json")
        if self.attributes is not None:
            self.attributes.write_parquet(folder / ATTRIBUTES)
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
            attributes=read_attributes(folder),
        )


def histories(events: pl.DataFrame, users: NDArray[np.int32], now: NDArray[np.int64]) -> Histories:
    """Coded events of known items, sorted by user and time -> Histories of `users` (distinct codes), seen from `now`."""
    codes = events[USER].to_numpy()
    low, high = np.searchsorted(codes, users, "left"), np.searchsorted(codes, users, "right")
    lengths = high - low
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    take = np.repeat(low - offsets[:-1], lengths) + np.arange(offsets[-1])
    return Histories(
        offsets=offsets,
        items=events[ITEM].to_numpy()[take].astype(np.int32),
        times=events[TIME].to_numpy()[take].astype(np.int64),
        prices=events[Columns.Price].to_numpy()[take].astype(np.float32),
        quantities=events[Columns.Quantity].to_numpy()[take].astype(np.float32),
        discounts=events[Columns.Discount].to_numpy()[take].astype(np.float32),
        stores=store_codes(events[Columns.Store])[take],
        now=now.astype(np.int64),
    )
