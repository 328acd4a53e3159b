"""The two-stage recommender whose ranker attends to what the user had (Zhou et al. 2018, Deep Interest Network).

This file needs numpy and ONNX Runtime only: evaluation and serving run the same code on the same files.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.data.histories import Histories
from recloop.models.candidates import Candidates
from recloop.models.clicks import F32, Memory, memory
from recloop.models.family import facts_of
from recloop.models.two_stage import TwoStage


class DIN(TwoStage):
    """Two stages; the second one weighs each item of the user's memory by the candidate it is asked about."""

    length: int
    """items of a memory"""

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "DIN":
        """Read a model folder."""
        stages = TwoStage.load(folder, threads=threads)
        model = cls(stages.parts, stages.ranker, stages.columns)
        model.length = int(facts_of(folder)["memory"])
        return model

    def attend(self, found: Candidates, features: F32, remembered: Memory) -> F32:
        """Candidates, their features in the order of NAMES, and the memory of each row -> logits. [pairs]"""
        if not len(features):
            return np.zeros(0, dtype=np.float32)
        inputs = {
            "features": features[:, self.columns],
            "items": found.items,
            "rows": found.rows,
            "memory": remembered.items,
            "facts": remembered.facts,
        }
        logits: F32 = self.ranker.run(["logit"], inputs)[0]
        return logits

    def _scored(
        self, histories: Histories, k: int, exclude_seen: bool, mask: NDArray[np.bool_]
    ) -> tuple[Candidates, F32]:
        found, features, habit = self.parts.pairs(histories, exclude_seen=exclude_seen, mask=mask, k=k)
        empty = (histories.lengths == 0)[found.rows]
        logits = self.attend(found, features, memory(habit, len(histories), length=self.length))
        popular = np.log1p(self.parts.statistics.pop28[found.items])
        return found, np.where(empty, popular, logits).astype(np.float32)


def load(folder: Path, *, threads: int = 1) -> DIN:
    """Read a model folder."""
    return DIN.load(folder, threads=threads)
