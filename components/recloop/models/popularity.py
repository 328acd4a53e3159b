"""Popularity of the last days: the same list for everybody."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from recloop import tensors
from recloop.data.grouped import top
from recloop.data.histories import Histories
from recloop.data.statistics import ItemStatistics, item_statistics
from recloop.models.family import Fitted
from recloop.models.ranked import Ranked, best, joined, permitted
from recloop.models.scorer import Scorer
from recloop.models.task import Task, past_of
from recloop.models.tuning import chosen

DAYS = (7, 28, 90, 0)
"""windows; 0 is every day"""
FILE = "popularity.safetensors"


class Popularity(Scorer):
    """Ranks by `weights`, purchases of each item in a recent window. [n_codes]"""

    def __init__(self, weights: NDArray[np.float32]) -> None:
        self.weights = weights.astype(np.float32)

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.weights)

    def scores(self, histories: Histories) -> NDArray[np.float32]:
        """The same in every row. [n, n_codes]"""
        return np.tile(self.weights, (len(histories), 1))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The weights."""
        return {"weights": self.weights}

    def recommend(
        self,
        histories: Histories,
        *,
        k: int,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Ranked:
        """The most bought items of the window, in every row; only the head of the catalogue is ranked."""
        mask = permitted(len(self.weights), allowed, exclude)
        # nobody's k best lie deeper than k places below what they have seen
        depth = k + int(histories.lengths.max(initial=0)) * exclude_seen
        head = np.sort(top(np.where(mask, self.weights, -np.inf)[None], depth)[0])
        place = np.full(len(self.weights), -1)
        place[head] = np.arange(len(head))
        return joined([self._best(part, head, place, k, exclude_seen, mask) for part in self._blocks(histories)], k)

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


def fit(task: Task) -> Fitted:
    """The window of DAYS that foretold best, as of the cut."""
    model, metrics = made(task)
    tensors.save({"weights": model.weights}, task.out / FILE)
    return Fitted(metrics, {})


def made(task: Task) -> tuple[Popularity, dict[str, float]]:
    """The model and its chosen setting."""
    older = item_statistics(past_of(task.dataset, task.tuning), task.dataset.catalogue)
    days = chosen(task, DAYS, lambda option: Popularity(_window(older, option)))
    return Popularity(_window(task.statistics, days)), {"popularity_days": days}


def load(folder: Path, *, threads: int = 1) -> Popularity:
    """Read what `fit` wrote."""
    return Popularity(load_file(folder / FILE)["weights"])


def _window(statistics: ItemStatistics, days: float) -> NDArray[np.float32]:
    return {7: statistics.pop7, 28: statistics.pop28, 90: statistics.pop90, 0: statistics.pop}[int(days)]
