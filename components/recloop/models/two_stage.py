"""The two-stage recommender: candidates from several sources, ranked by a deep network (Covington et al. 2016).

This file needs numpy and ONNX Runtime only: evaluation and serving run the same code on the same files.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from recloop.config import CandidatesConfig
from recloop.data.features import CONTEXT, NAMES, pair_features, profiles
from recloop.data.grouped import best_first
from recloop.data.habits import Habits, habits
from recloop.data.histories import Histories
from recloop.data.rhythm import rhythm
from recloop.data.statistics import ItemStatistics
from recloop.models.candidates import SOURCES as CANDIDATE_SOURCES
from recloop.models.candidates import Candidates, Fame, candidates
from recloop.models.encoder import Encoder, session
from recloop.models.family import facts_of
from recloop.models.item_knn import ItemKNN
from recloop.models.laps import lap
from recloop.models.linear import FILE as LINEAR
from recloop.models.linear import Linear
from recloop.models.nearby import Nearby
from recloop.models.ranked import Ranked, joined, permitted
from recloop.models.retrieval import Logits

F32 = NDArray[np.float32]
ROWS = 128
OF_HISTORY = 1 << CANDIDATE_SOURCES.index("history")
"""bit of an origin"""


@dataclass(frozen=True)
class Sources:
    """What proposes candidates and feeds the features, all as of one cut."""

    statistics: ItemStatistics
    item_knn: ItemKNN
    linear: Linear
    encoder: Encoder | None
    config: CandidatesConfig

    def pairs(
        self, histories: Histories, *, exclude_seen: bool, mask: NDArray[np.bool_], k: int = 0
    ) -> tuple[Candidates, F32, Habits]:
        """Histories -> candidates and their features in the order of NAMES."""
        habit = habits(histories, len(self.statistics))
        logits = None if self.encoder is None else self.encoder.logits(histories)
        with lap("retrieve"):
            near = Nearby.of(self.item_knn, histories)
            found = candidates(
                n=len(histories),
                habit=habit,
                popularity=self.fame,
                item_knn=near,
                sasrec=logits,
                known=None if self.encoder is None else self.encoder.known,
                config=self.config,
                exclude_seen=exclude_seen,
                mask=mask,
                k=k,
            )
        with lap("features"):
            features = pair_features(
                rows=found.rows,
                items=found.items,
                habit=habit,
                own=rhythm(histories, habit.pairs),
                profile=profiles(histories, self.statistics),
                statistics=self.statistics,
                item_knn=near.at(found.rows, found.items),
                linear=self.linear.at(found.rows, found.items, habit=habit, n=len(histories)),
                sasrec=self._sasrec(logits, found),
                sasrec_known=self._known(found),
            )
        return found, features, habit

    @cached_property
    def fame(self) -> Fame:
        """What sold in the last 28 days."""
        return Fame.of(self.statistics.pop28)

    def _sasrec(self, logits: Logits | None, found: Candidates) -> F32:
        if logits is None:
            return np.zeros(len(found.rows), dtype=np.float32)
        return np.where(self._known(found) > 0, logits.at(found.rows, found.items), 0).astype(np.float32)

    def _known(self, found: Candidates) -> F32:
        if self.encoder is None:
            return np.zeros(len(found.rows), dtype=np.float32)
        return self.encoder.known[found.items].astype(np.float32)


def used_features(*, use_sasrec: bool, use_context: bool) -> list[int]:
    """Columns of NAMES that the ranker sees."""
    left_out = (() if use_sasrec else ("sasrec", "sasrec_known")) + (() if use_context else CONTEXT)
    return [n for n, name in enumerate(NAMES) if name not in left_out]


class TwoStage:
    """Histories -> the best items, with the sources that proposed each."""

    sources: tuple[str, ...] = CANDIDATE_SOURCES
    log_odds = True

    def __init__(self, parts: Sources, ranker: ort.InferenceSession, columns: list[int]) -> None:
        self.parts, self.ranker, self.columns = parts, ranker, columns

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "TwoStage":
        """Read a model folder."""
        facts = facts_of(folder)
        encoder = Encoder.load(folder, threads=threads) if facts["sasrec"] else None
        parts = Sources(
            statistics=ItemStatistics.load(folder / "statistics.safetensors"),
            item_knn=ItemKNN.load(folder / "item_knn.safetensors"),
            linear=Linear.load(folder / LINEAR) if "linear" in facts["features"] else Linear.none(),
            encoder=encoder,
            config=CandidatesConfig.model_validate(facts["candidates"]),
        )
        columns = [NAMES.index(name) for name in facts["features"]]
        ranker = session(folder / "ranker.onnx", threads=threads)
        return cls(parts, ranker, columns)

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.parts.statistics)

    def recommend(
        self,
        histories: Histories,
        *,
        k: int,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Ranked:
        """The k best candidates of each row; recent popularity for a row without a history."""
        mask = permitted(self.n_codes, allowed, exclude)
        made = [_ranked(*self._scored(part, k, exclude_seen, mask), len(part), k) for part in _parts(histories)]
        return joined(made, k)

    def recommend_twice(self, histories: Histories, *, k: int) -> tuple[Ranked, Ranked]:
        """What `recommend` gives without and with exclude_seen, for little more than the price of one."""
        mask = permitted(self.n_codes, None, None)
        every, fresh = [], []
        for part in _parts(histories):
            found, scores = self._scored(part, k, False, mask)
            every.append(_ranked(found, scores, len(part), k))
            # one source alone proposes what a row has had
            unseen = found.origins & OF_HISTORY == 0
            kept = Candidates(found.rows[unseen], found.items[unseen], found.origins[unseen])
            fresh.append(_ranked(kept, scores[unseen], len(part), k))
        return joined(every, k), joined(fresh, k)

    def _scored(
        self, histories: Histories, k: int, exclude_seen: bool, mask: NDArray[np.bool_]
    ) -> tuple[Candidates, F32]:
        found, features, _ = self.parts.pairs(histories, exclude_seen=exclude_seen, mask=mask, k=k)
        empty = (histories.lengths == 0)[found.rows]
        scores = np.where(empty, np.log1p(self.parts.statistics.pop28[found.items]), self.score(features))
        return found, scores.astype(np.float32)

    def score(self, features: F32) -> F32:
        """Features in the order of NAMES -> logits. [pairs]"""
        if not len(features):
            return np.zeros(0, dtype=np.float32)
        wanted = features if len(self.columns) == features.shape[1] else features[:, self.columns]
        with lap("rank"):
            found: F32 = self.ranker.run(["logit"], {"features": wanted})[0]
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Vectors of items, and which of them SASRec learnt."""
        encoder = self.parts.encoder
        return {} if encoder is None else {"item vectors": encoder.vectors, "known items": encoder.known}


def load(folder: Path, *, threads: int = 1) -> TwoStage:
    """Read a model folder."""
    return TwoStage.load(folder, threads=threads)


def _parts(histories: Histories) -> list[Histories]:
    return [histories.part(start, min(start + ROWS, len(histories))) for start in range(0, len(histories), ROWS)]


def _ranked(found: Candidates, scores: F32, n: int, k: int) -> Ranked:
    """Scored pairs, sorted by row -> the k best of each row; ties go to the smaller code."""
    rows, best = best_first(found.rows, found.items, scores, k)
    width = max(int(found.items.max(initial=0)), 1) + 1
    order = np.searchsorted(found.rows * width + found.items, rows * width + best)
    at = rows, np.arange(len(rows)) - np.searchsorted(rows, rows)
    items = np.zeros((n, k), dtype=np.int32)
    values = np.full((n, k), -np.inf, dtype=np.float32)
    origins = np.zeros((n, k), dtype=np.uint8)
    items[at], values[at], origins[at] = found.items[order], scores[order], found.origins[order]
    return Ranked(items, values, origins)
