"""Personal frequency: what the user bought most, plain or decayed; popularity fills up the rest."""

import numpy as np
from numpy.typing import NDArray

from recloop.data.habits import ages
from recloop.data.histories import Histories
from recloop.models.ranked import ROWS, Ranked, best, joined, permitted


class Frequency:
    """Ranks by the user's own purchases; `half_life` in days, None counts every purchase alike."""

    def __init__(self, popularity: NDArray[np.float32], *, half_life: float | None) -> None:
        self.fill = (popularity / (2.0 * max(float(popularity.max(initial=0)), 1.0))).astype(np.float32)
        self.half_life = half_life

    def recommend(
        self,
        histories: Histories,
        *,
        k: int,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Ranked:
        """The user's most frequent items, then popular ones."""
        mask = permitted(len(self.fill), allowed, exclude)
        parts = []
        for start in range(0, len(histories), ROWS):
            part = histories.part(start, min(start + ROWS, len(histories)))
            parts.append(best(self._scores(part), part, k=k, exclude_seen=exclude_seen, mask=mask))
        return joined(parts, k)

    def _scores(self, histories: Histories) -> NDArray[np.float32]:
        """Purchases far above the filling, whose greatest value is one half. [n, n_codes]"""
        width = len(self.fill)
        weight = np.ones(len(histories.items)) if self.half_life is None else 0.5 ** (ages(histories) / self.half_life)
        counts = np.bincount(histories.rows * width + histories.items, weights=weight, minlength=len(histories) * width)
        scale = 1.0 if self.half_life is None else 1e3
        return (scale * counts.reshape(len(histories), width) + 1e-3 * self.fill).astype(np.float32)
