"""Features as the service computes them, event by event, against those of the training table, value by value."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.config import CandidatesConfig
from recloop.data.dataset import Dataset
from recloop.data.features import NAMES, pair_features, profiles
from recloop.data.habits import habits
from recloop.data.histories import Histories
from recloop.data.rhythm import rhythm
from recloop.data.statistics import ItemStatistics, item_statistics
from recloop.data.windows import Window
from recloop.errors import BadData
from recloop.models.item_knn import ItemKNN, fit_item_knn
from recloop.models.linear import Linear
from recloop.models.nearby import Nearby
from recloop.models.task import past_of
from recloop.serving.state import State

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
USER, ITEM, TIME = Columns.UserCode, Columns.ItemCode, Columns.Time
LEARNT = ("linear", "sasrec", "sasrec_known")
"""scores of models that are fitted; they stay 0 here, and are no values of the comparison"""


@dataclass(frozen=True)
class Parity:
    """How many values were compared, and which are not the same number to the bit."""

    events: int
    moments: int
    """of a user: what is taken at one moment is answered by one question"""
    values: int
    differing: dict[str, int]
    """feature -> values that differ"""
    largest: float
    """difference, in the feature's own unit"""


def parity(dataset: Dataset, config: CandidatesConfig, *, events: int) -> Parity:
    """The newest `events` events of a dataset -> Parity of the features of (user, item) just before each.

    Item statistics and neighbours are as of the first of them, as in a release. Training side: histories by an as-of join over
    the dataset, of many users at once. Online: the service's own state, one user at a time, fed by its journal's records.
    Raises BadData where the dataset has fewer events of known users and items.
    """
    replay = Replay.of(dataset, config, events)
    trained, online = replay.trained(), replay.online()
    compared = [n for n, name in enumerate(NAMES) if name not in LEARNT]
    gap = np.abs(trained - online)[:, compared]
    unequal = (gap != 0).sum(axis=0)
    return Parity(
        events=len(trained),
        moments=len(replay.moments),
        values=gap.size,
        differing={NAMES[at]: int(n) for at, n in zip(compared, unequal, strict=True) if n},
        largest=float(gap.max()),
    )


@dataclass(frozen=True)
class Replay:
    """events: those that are replayed, by time and user; each has its row in both tables."""

    dataset: Dataset
    events: pl.DataFrame
    start: int
    statistics: ItemStatistics
    neighbours: ItemKNN

    @classmethod
    def of(cls, dataset: Dataset, config: CandidatesConfig, events: int) -> "Replay":
        """The newest events, and what a release of the moment before them would hold."""
        known = dataset.events.filter((pl.col(ITEM) > 0) & (pl.col(USER) > 0)).sort(TIME, USER, maintain_order=True)
        if known.height <= events:
            raise BadData(f"The dataset has {known.height:,} events of known users and items; ask for fewer: --events.")
        start = int(known[TIME][-events])
        past = past_of(dataset, _window(dataset, start))
        return cls(
            dataset=dataset,
            events=known.filter(pl.col(TIME) >= start),
            start=start,
            statistics=item_statistics(past, dataset.catalogue),
            neighbours=fit_item_knn(
                past,
                n_codes=dataset.catalogue.height + 1,
                neighbours=config.neighbours,
                half_life=config.half_life_days,
            ),
        )

    @cached_property
    def moments(self) -> pl.DataFrame:
        """One row a question: user, time, number of the user's moment, and the rows of its events."""
        rows = self.events.with_row_index("row").group_by(USER, TIME, maintain_order=True).agg("row")
        return rows.with_columns(nth=pl.int_range(pl.len()).over(USER, order_by=TIME))

    def trained(self) -> F32:
        """Features by as-of joins: the n-th moment of every user that has one, at once. [events, len(NAMES)]"""
        out = np.zeros((self.events.height, len(NAMES)), dtype=np.float32)
        for _, asked in self.moments.sort("nth", USER).group_by("nth", maintain_order=True):
            users, rows = asked[USER].to_numpy(), asked["row"].explode(empty_as_null=True).to_numpy()
            window = _window(self.dataset, 0)
            window.start[users] = asked[TIME].to_numpy()
            of = np.repeat(np.arange(len(users)), asked["row"].list.len().to_numpy())
            out[rows] = self._features(past_of(self.dataset, window, users), of, rows)
        return out

    def online(self) -> F32:
        """Features as the service has them: its state before the moment, then the moment's events. [events, len(NAMES)]"""
        out, state, bundle = np.zeros((self.events.height, len(NAMES)), dtype=np.float32), State(), self._bundle()
        records = list(self._records())
        for user, now, rows in self.moments.select(USER, TIME, "row").iter_rows():
            asked = state.history(bundle, self.dataset.users.ids[user - 1], [], now)
            out[rows] = self._features(asked, np.zeros(len(rows), dtype=np.int64), np.array(rows))
            for row in rows:
                state.add(json.loads(records[row]))
        return out

    def _bundle(self) -> Any:
        """Of a release, what its state asks for."""
        past = past_of(self.dataset, _window(self.dataset, self.start))
        return SimpleNamespace(users=self.dataset.users, items=self.dataset.items, past=past, end=self.start)

    def _records(self) -> Iterator[str]:
        """Events as the journal writes them."""
        ids = self.dataset.users.ids
        for event in self.events.iter_rows(named=True):
            yield json.dumps({**event, "kind": "event", "user_id": ids[event[USER] - 1]})

    def _features(self, asked: Histories, rows: I64, of: NDArray[Any]) -> F32:
        """Features of pairs of a row and the item of an event."""
        items = self.events[ITEM].to_numpy()[of].astype(np.int64)
        habit = habits(asked, len(self.statistics))
        nothing = np.zeros(len(rows), dtype=np.float32)
        return pair_features(
            rows=rows,
            items=items,
            habit=habit,
            own=rhythm(asked, habit.pairs),
            profile=profiles(asked, self.statistics),
            statistics=self.statistics,
            item_knn=Nearby.of(self.neighbours, asked).at(rows, items),
            linear=Linear.none().at(rows, items, habit=habit, n=len(asked)),
            sasrec=nothing,
            sasrec_known=nothing,
        )


def _window(dataset: Dataset, start: int) -> Window:
    """The same start for every user, and no end."""
    every = np.ones(len(dataset.users) + 1, dtype=np.int64)
    return Window(every * start, every * np.iinfo(np.int64).max)
