"""A sequence model that recommends by itself: its encoder's state against the vector of every item it knows."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recloop.data.histories import Histories
from recloop.models.encoder import Encoder
from recloop.models.scorer import F32, Scorer


class Sequential(Scorer):
    """Scores by the state after a row's last event; no opinion on rows without one, nor on items never learnt."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.encoder.known)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Vectors of items, and which of them were learnt."""
        return {"item vectors": self.encoder.vectors, "known items": self.encoder.known}

    def scores(self, histories: Histories) -> F32:
        """Logits. [n, n_codes]"""
        scores = self.encoder.scores(histories)
        scores[:, ~self.encoder.known] = -np.inf
        scores[histories.lengths == 0] = -np.inf
        return scores


def load(folder: Path, *, threads: int) -> Sequential:
    """Read what the fit of any kind of sequence model wrote."""
    return Sequential(Encoder.load(folder, threads=threads))
