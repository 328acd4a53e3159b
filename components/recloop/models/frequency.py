"""Personal frequency: what the user bought most, plain or decayed; popularity fills up the rest."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from recloop import tensors
from recloop.data.habits import ages
from recloop.data.histories import Histories
from recloop.data.statistics import item_statistics
from recloop.models.family import Fitted, facts_of
from recloop.models.scorer import Scorer
from recloop.models.task import Task, past_of
from recloop.models.tuning import chosen

HALF_LIVES = (30.0, 60.0, 90.0, 120.0)
FILE = "frequency.safetensors"


class Frequency(Scorer):
    """Ranks by the user's own purchases; `half_life` in days, None counts every purchase alike."""

    def __init__(self, popularity: NDArray[np.float32], *, half_life: float | None) -> None:
        self.popularity = popularity
        self.fill = (popularity / (2.0 * max(float(popularity.max(initial=0)), 1.0))).astype(np.float32)
        self.half_life = half_life

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.fill)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What fills up the list."""
        return {"popularity": self.popularity}

    def scores(self, histories: Histories) -> NDArray[np.float32]:
        """Purchases far above the filling, whose greatest value is one half. [n, n_codes]"""
        width = len(self.fill)
        weight = np.ones(len(histories.items)) if self.half_life is None else 0.5 ** (ages(histories) / self.half_life)
        counts = np.bincount(histories.rows * width + histories.items, weights=weight, minlength=len(histories) * width)
        scale = 1.0 if self.half_life is None else 1e3
        return (scale * counts.reshape(len(histories), width) + 1e-3 * self.fill).astype(np.float32)


def fit(task: Task) -> Fitted:
    """Every purchase counts alike; popularity of the last 28 days before the cut fills up."""
    return _kept(task, plain(task), {})


def fit_decayed(task: Task) -> Fitted:
    """Purchases lose weight by the half-life that foretold best."""
    model, metrics = decayed(task)
    return _kept(task, model, metrics)


def plain(task: Task) -> Frequency:
    """Undecayed, as of the cut."""
    return Frequency(task.statistics.pop28, half_life=None)


def decayed(task: Task) -> tuple[Frequency, dict[str, float]]:
    """The decayed model and its chosen setting."""
    older = item_statistics(past_of(task.dataset, task.tuning), task.dataset.catalogue).pop28
    half_life = chosen(task, HALF_LIVES, lambda option: Frequency(older, half_life=option))
    return Frequency(task.statistics.pop28, half_life=half_life), {"half_life_days": half_life}


def load(folder: Path, *, threads: int = 1) -> Frequency:
    """Read what either fit wrote."""
    return Frequency(load_file(folder / FILE)["popularity"], half_life=facts_of(folder)["half_life"])


def _kept(task: Task, model: Frequency, metrics: dict[str, float]) -> Fitted:
    tensors.save({"popularity": model.popularity}, task.out / FILE)
    return Fitted(metrics, {"half_life": model.half_life})
