"""Popularity of the last days: the same list for everybody."""

import numpy as np
from numpy.typing import NDArray

from recloop.data.grouped import top
from recloop.data.histories import Histories
from recloop.models.ranked import ROWS, Ranked, best, joined, permitted


class Popularity:
    """Ranks by `weights`, purchases of each item in a recent window. [n_codes]"""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self.weights = weights.astype(np.float32)

    def recommend(
        self,
        histories: Histories,
        *,
        k: int,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Ranked:
        """The most bought items of the window, in every row."""
        mask = permitted(len(self.weights), allowed, exclude)
        # nobody's k best lie deeper than k places below what they have seen
        depth = k + int(histories.lengths.max(initial=0)) * exclude_seen
        head = np.sort(top(np.where(mask, self.weights, -np.inf)[None], depth)[0])
        place = np.full(len(self.weights), -1)
        place[head] = np.arange(len(head))
        parts = []
        for start in range(0, len(histories), ROWS):
            part = histories.part(start, min(start + ROWS, len(histories)))
            parts.append(self._best(part, head, place, k, exclude_seen, mask))
        return joined(parts, k)

    def _best(
        self,
        part: Histories,
        head: NDArray[np.int64],
        place: NDArray[np.int64],
        k: int,
        exclude_seen: bool,
        mask: NDArray[np.bool_],
    ) -> Ranked:
        """Rank the head of the catalogue only; `place` is each code's column in it, -1 where it has none."""
        scores = np.tile(self.weights[head], (len(part), 1))
        if exclude_seen:
            seen = place[part.items]
            scores[part.rows[seen >= 0], seen[seen >= 0]] = -np.inf
        found = best(scores, part, k=k, exclude_seen=False, mask=mask[head])
        items = np.where(np.isfinite(found.scores), head[found.items], 0).astype(np.int32)
        return Ranked(items, found.scores, found.origins)
