"""Ragged user histories: the one shape in which training, evaluation and serving see the past."""

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
    prices: NDArray[np.float32]  # [events] paid for one unit
    quantities: NDArray[np.float32]  # [events] units
    discounts: NDArray[np.float32]  # [events] share of the shelf price, 0..1
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
