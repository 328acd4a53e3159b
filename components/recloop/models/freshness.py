"""Freshness: what is talked about now, and how long ago an item was published."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from recloop.config import FreshnessConfig
from recloop.data.histories import Histories
from recloop.models.scorer import F32

FILE = "freshness.safetensors"
HOUR = 3600.0


@dataclass(frozen=True)
class Freshness:
    """attention: events of each item, those of a half-life ago as halves. published: its first event, seconds since the
    epoch; 0 where it had none. Both [n_codes], as of the last event that was learnt."""

    attention: F32
    published: NDArray[np.int64]
    half_life: float
    """seconds"""

    def trending(self, histories: Histories) -> F32:
        """log(1 + attention), the same in every row. [n, n_codes]"""
        return np.tile(np.log1p(self.attention), (len(histories), 1))

    def fresh(self, histories: Histories) -> F32:
        """0.5 ** (age in half-lives) at the moment that each row is seen from; 0 without an event. [n, n_codes]"""
        age = np.maximum(histories.now[:, None] - self.published, 0) / self.half_life
        found: F32 = np.where(self.published > 0, 0.5**age, 0.0).astype(np.float32)
        return found

    def save(self, folder: Path) -> None:
        """Write freshness.safetensors."""
        save_file({"attention": self.attention, "published": self.published}, folder / FILE)

    @classmethod
    def load(cls, folder: Path, config: FreshnessConfig) -> "Freshness":
        """Read what `save` wrote."""
        return cls(**load_file(folder / FILE), half_life=config.half_life_hours * HOUR)


def freshness_of(histories: Histories, *, n_codes: int, config: FreshnessConfig) -> Freshness:
    """Histories of all users -> Freshness."""
    items, times, half_life = histories.items, histories.times, config.half_life_hours * HOUR
    weight = 0.5 ** ((times.max(initial=0) - times) / half_life)
    published = np.full(n_codes, np.iinfo(np.int64).max)
    np.minimum.at(published, items, times)
    known = np.bincount(items, minlength=n_codes) > 0
    attention = np.bincount(items, weights=weight, minlength=n_codes).astype(np.float32)
    return Freshness(attention, np.where(known, published, 0), half_life)
