"""What users really took in a window: the answers that a model is measured against."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.data.windows import Window

USER, ITEM, RAW, TIME = Columns.UserCode, Columns.ItemCode, Columns.Item, Columns.Time


@dataclass(frozen=True)
class Truth:
    """Distinct items that n users took in a window, as one ragged table."""

    users: NDArray[np.int32]  # [n] user codes, those with an earlier event and at least one item
    offsets: NDArray[np.int64]  # [n + 1]
    items: NDArray[np.int32]  # [pairs] item codes; 0 where the item is not in the vocabulary (a sure miss)
    spend: NDArray[np.float64]  # [pairs] money paid
    new: NDArray[np.bool_]  # [pairs] the user never took the item before the window

    def __len__(self) -> int:
        return len(self.users)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row that owns each pair. [pairs]"""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def take(self, rows: NDArray[np.integer]) -> "Truth":
        """The given users, in the given order."""
        counts = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        at = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], counts)
        return Truth(self.users[rows], offsets, self.items[at], self.spend[at], self.new[at])

    def fresh(self) -> "Truth":
        """Only what was new to its user, and only users with something new."""
        counts = np.bincount(self.rows[self.new], minlength=len(self))
        offsets = np.concatenate([[0], np.cumsum(counts[counts > 0])]).astype(np.int64)
        own = self.new
        return Truth(self.users[counts > 0], offsets, self.items[own], self.spend[own], self.new[own])


def truth_of(events: pl.DataFrame, window: Window) -> Truth:
    """Coded events -> Truth of the window for users who have at least one event before it."""
    codes, times = events[USER].to_numpy(), events[TIME].to_numpy()
    past = events.filter(pl.Series(times < window.start[codes])).select(USER, RAW).unique()
    # code 0 is every user without a past, so one stranger is no past of another
    inside = events.filter(pl.Series((codes > 0) & (times >= window.start[codes]) & (times < window.end[codes])))
    pairs = (
        inside.join(past.select(USER).unique(), on=USER, how="semi")
        .group_by(USER, RAW)
        .agg(pl.col(ITEM).first(), (pl.col(Columns.Price) * pl.col(Columns.Quantity)).sum().alias("spend"))
        .join(past.with_columns(seen=True), on=[USER, RAW], how="left")
        .sort(USER, ITEM, RAW)
    )
    users, counts = np.unique(pairs[USER].to_numpy(), return_counts=True)
    return Truth(
        users=users.astype(np.int32),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        items=pairs[ITEM].to_numpy().astype(np.int32),
        spend=pairs["spend"].fill_null(0.0).to_numpy().astype(np.float64),
        new=pairs["seen"].is_null().to_numpy(),
    )
