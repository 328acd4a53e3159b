"""Recommenders that score the whole catalogue: a model says `scores`, the rest is here."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recloop.data.histories import Histories
from recloop.models.ranked import Ranked, best, joined, permitted

F32 = NDArray[np.float32]
CELLS = 1 << 24
"""scores held at once"""
ROWS = 256


class Scorer(ABC):
    """Histories -> the best items by a score of every item."""

    sources: tuple[str, ...] = ()
    """names of the bits of an origin; none where the model is its own only source"""
    log_odds = False
    """whether a score is the log-odds of being taken, so that it can be checked against what was"""

    @property
    @abstractmethod
    def n_codes(self) -> int:
        """Item codes, padding included."""

    @abstractmethod
    def scores(self, histories: Histories) -> F32:
        """A fresh array, -inf where the model has no opinion; column 0 is ignored. [n, n_codes]"""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the model holds for each item code; nothing unless a model says so. [n_codes, ...]"""
        return {}

    def recommend(
        self,
        histories: Histories,
        *,
        k: int,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Ranked:
        """The k items of each row with the greatest scores; ties go to the smaller code."""
        mask = permitted(self.n_codes, allowed, exclude)
        parts = [
            best(self.scores(part), part, k=k, exclude_seen=exclude_seen, mask=mask) for part in self._blocks(histories)
        ]
        return joined(parts, k)

    def recommend_twice(self, histories: Histories, *, k: int) -> tuple[Ranked, Ranked]:
        """What `recommend` gives without and with exclude_seen, scored once."""
        mask = permitted(self.n_codes, None, None)
        every, fresh = [], []
        for part in self._blocks(histories):
            scores = self.scores(part)
            every.append(best(scores, part, k=k, exclude_seen=False, mask=mask))
            fresh.append(best(scores, part, k=k, exclude_seen=True, mask=mask))
        return joined(every, k), joined(fresh, k)

    def _blocks(self, histories: Histories) -> Iterator[Histories]:
        rows = max(1, min(ROWS, CELLS // self.n_codes))
        for start in range(0, len(histories), rows):
            yield histories.part(start, start + rows)
