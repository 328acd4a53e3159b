"""Ragged user histories: the one shape in which training, evaluation and serving see the past."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Histories:
    """Past events of n users, each oldest first, as one ragged table (CSR).

    Row r owns positions offsets[r]:offsets[r + 1] of every event array. Codes come from the
    vocabulary (0 is padding and never occurs). Events at or after `now[r]` never occur in row r.
    """

    offsets: NDArray[np.int64]  # [n + 1]
    items: NDArray[np.int32]  # [events] item codes
    times: NDArray[np.int64]  # [events] seconds since the epoch, UTC, ascending in a row
    prices: NDArray[np.float32]  # [events] paid for one unit; 0 where unknown or free
    quantities: NDArray[np.float32]  # [events] units
    discounts: NDArray[np.float32]  # [events] share of the shelf price, 0..1
    stores: NDArray[np.uint8]  # [events] codes of `store_code`, 0 where unknown
    now: NDArray[np.int64]  # [n] the moment each row is seen from, seconds since the epoch

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Events a user. [n]"""
        return np.diff(self.offsets)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row that owns each event. [events]"""
        return np.repeat(np.arange(len(self)), self.lengths)

    def within(self, n_codes: int) -> "Histories":
        """Without the events whose item codes a smaller vocabulary of `n_codes` (padding included) lacks."""
        return self.only(np.flatnonzero(self.items < n_codes))

    def only(self, events: NDArray[np.integer]) -> "Histories":
        """The events at the given positions, which ascend; every row stays, and so does `now`."""
        return Histories(
            offsets=np.searchsorted(events, self.offsets).astype(np.int64),
            items=self.items[events],
            times=self.times[events],
            prices=self.prices[events],
            quantities=self.quantities[events],
            discounts=self.discounts[events],
            stores=self.stores[events],
            now=self.now,
        )

    def part(self, start: int, stop: int) -> "Histories":
        """Rows start:stop, without copying an event."""
        stop = min(stop, len(self))
        own = slice(int(self.offsets[start]), int(self.offsets[stop]))
        return Histories(
            offsets=self.offsets[start : stop + 1] - self.offsets[start],
            items=self.items[own],
            times=self.times[own],
            prices=self.prices[own],
            quantities=self.quantities[own],
            discounts=self.discounts[own],
            stores=self.stores[own],
            now=self.now[start:stop],
        )

    def take(self, rows: NDArray[np.integer]) -> "Histories":
        """The given rows, in the given order (a row may be asked for twice)."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        at = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Histories(
            offsets=offsets,
            items=self.items[at],
            times=self.times[at],
            prices=self.prices[at],
            quantities=self.quantities[at],
            discounts=self.discounts[at],
            stores=self.stores[at],
            now=self.now[rows],
        )


def stacked(parts: Sequence[Histories]) -> Histories:
    """Rows of many tables as one, in order."""
    if len(parts) == 1:
        return parts[0]
    lengths = np.concatenate([part.lengths for part in parts])
    return Histories(
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        items=np.concatenate([part.items for part in parts]),
        times=np.concatenate([part.times for part in parts]),
        prices=np.concatenate([part.prices for part in parts]),
        quantities=np.concatenate([part.quantities for part in parts]),
        discounts=np.concatenate([part.discounts for part in parts]),
        stores=np.concatenate([part.stores for part in parts]),
        now=np.concatenate([part.now for part in parts]),
    )
