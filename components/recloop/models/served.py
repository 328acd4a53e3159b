"""A model of any kind as a release holds it: with what it serves beside its own lists."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.data.histories import Histories
from recloop.data.statistics import ItemStatistics
from recloop.models.alike import Alike
from recloop.models.family import STATISTICS, facts_of, kind_of, load
from recloop.models.item_knn import FILE as ITEM_KNN
from recloop.models.item_knn import ItemKNN
from recloop.models.popularity import Popularity
from recloop.models.ranked import Ranked, Recommender, permitted

FILLER = "popularity"


@dataclass(frozen=True)
class Served:
    """model, and as of the same cut: statistics, similar items, and popularity where the model has nothing to say."""

    model: Recommender
    kind: str
    statistics: ItemStatistics
    item_knn: ItemKNN
    learnt_until: int | None
    """seconds since the epoch; None where an old folder does not say"""
    alike: Alike | None = None
    """of users whose attributes are known; None where there are none"""

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "Served":
        """Read a model folder."""
        return cls(
            model=load(folder, threads=threads),
            kind=kind_of(folder),
            statistics=ItemStatistics.load(folder / STATISTICS),
            item_knn=ItemKNN.load(folder / ITEM_KNN),
            learnt_until=facts_of(folder).get("learnt_until"),
            alike=Alike.load(folder),
        )

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.statistics)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the bits of an origin; popularity is among them, since it fills up."""
        own = self.model.sources or (self.kind,)
        return own if FILLER in own else (*own, FILLER)

    def recommend(
        self,
        histories: Histories,
        *,
        k: int,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Ranked:
        """The model's list, filled up by what sold in the last 28 days; that alone for a row without a history."""
        mask = permitted(self.n_codes, allowed, exclude)
        own = self.model.recommend(histories, k=k, exclude_seen=exclude_seen, allowed=allowed, exclude=exclude)
        return self.filled(own, histories, mask, exclude_seen=exclude_seen)

    def recommend_twice(self, histories: Histories, *, k: int) -> tuple[Ranked, Ranked]:
        """What `recommend` gives without and with exclude_seen."""
        mask = permitted(self.n_codes, None, None)
        every, fresh = self.model.recommend_twice(histories, k=k)
        return self.filled(every, histories, mask, exclude_seen=False), self.filled(
            fresh, histories, mask, exclude_seen=True
        )

    def similar(self, item: int, *, k: int) -> Ranked:
        """Items bought together with one item. [1, k]"""
        items = self.item_knn.neighbours[item][None, :k]
        pad = ((0, 0), (0, max(0, k - items.shape[1])))
        items = np.pad(items, pad)
        scores = np.pad(self.item_knn.similarity[item][None, :k], pad)
        return Ranked(items, np.where(items > 0, scores, -np.inf).astype(np.float32), np.zeros(items.shape, np.uint8))

    def filled(self, own: Ranked, histories: Histories, mask: NDArray[np.bool_], *, exclude_seen: bool) -> Ranked:
        """Lists of the model -> as they are served."""
        items, scores, origins = own.items.copy(), own.scores.copy(), self._origins(own)
        empty = histories.lengths == 0
        items[empty], scores[empty], origins[empty] = 0, -np.inf, 0
        short = np.flatnonzero((items == 0).any(axis=1))
        if len(short):
            fill = self._popular(histories.take(short), items[short], scores[short], mask, exclude_seen)
            made = _appended(Ranked(items[short], scores[short], origins[short]), fill)
            items[short], scores[short], origins[short] = made.items, made.scores, made.origins
        return Ranked(items, scores, origins)

    def _origins(self, own: Ranked) -> NDArray[np.uint8]:
        if self.model.sources:
            return own.origins.copy()
        return (own.items > 0).astype(np.uint8)

    def _popular(
        self,
        histories: Histories,
        items: NDArray[np.int32],
        scores: NDArray[np.float32],
        mask: NDArray[np.bool_],
        exclude_seen: bool,
    ) -> Ranked:
        """As many popular items as a list is long that are not in it, scored below it. [n, 2 * k]"""
        sold = mask & (self.statistics.pop28 > 0)
        weights = np.log1p(self.statistics.pop28)
        found = Popularity(weights).recommend(histories, k=2 * items.shape[1], exclude_seen=exclude_seen, allowed=sold)
        new = (found.items > 0) & ~(found.items[:, :, None] == items[:, None, :]).any(axis=2)
        least = np.where(items > 0, scores, np.inf).min(axis=1, keepdims=True)
        below = np.where(np.isfinite(least), np.minimum(least - weights.max() - 1, 0) + found.scores, found.scores)
        bit = np.uint8(1 << self.sources.index(FILLER))
        return Ranked(
            np.where(new, found.items, 0).astype(np.int32),
            np.where(new, below, -np.inf).astype(np.float32),
            np.where(new, bit, 0).astype(np.uint8),
        )


def _appended(own: Ranked, more: Ranked) -> Ranked:
    """Two lists of the same rows, one after the other without gaps, as long as the first."""
    items = np.concatenate([own.items, more.items], axis=1)
    at = np.argsort(items == 0, axis=1, kind="stable")[:, : own.items.shape[1]]
    scores = np.concatenate([own.scores, more.scores], axis=1)
    origins = np.concatenate([own.origins, more.origins], axis=1)
    return Ranked(*(np.take_along_axis(part, at, axis=1) for part in (items, scores, origins)))
