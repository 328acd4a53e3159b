"""The hybrid: a sequence model, counts and content blended by weights learnt on a window that none of them saw."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recloop.config import ItemToItemConfig, ModelConfig
from recloop.data.habits import ages
from recloop.data.histories import Histories
from recloop.models import als, counts, ease
from recloop.models.blend import Blend
from recloop.models.blend_content import Likeness
from recloop.models.counts import ItemToItem, following, recent, tie_breaker
from recloop.models.encoder import Encoder
from recloop.models.family import facts_of
from recloop.models.freshness import Freshness
from recloop.models.friends import Friends
from recloop.models.scorer import F32, Scorer

BLEND, TAKEN = "blend.json", "hybrid_taken.npy"
Part = Callable[[Histories], F32]
GAIN, COSINE_GAIN = 4.0, 20.0
"""of counts and of cosines before their logarithm"""
NEXT, NEXT_DECAY = 2, 0.4
"""last items that the part `next` looks at"""
SHRINK = 2.0
BACK = 0.5
"""of a pair the other way round, in cosines"""
LEAST = 1e-5
"""what a tie is broken with"""


@dataclass(frozen=True)
class Counted:
    """Everything that is counted: forward pairs [n_codes, n_codes], events of each item [n_codes], order of ties [n_codes]."""

    forward: sparse.csr_matrix
    events: F32
    tie: F32
    config: ItemToItemConfig

    def parts(self, habit_days: float) -> dict[str, Part]:
        """Parts by name; nothing is computed before a part is asked. habit_days: half-life of the user's own events."""
        n, history, decay = len(self.events), self.config.history, self.config.decay

        def log(weights: sparse.csr_matrix, table: sparse.csr_matrix, gain: float) -> F32:
            found = weights @ table
            found.data = np.log1p(np.float32(gain) * found.data)
            dense: F32 = found.toarray()
            return dense

        def last(histories: Histories, count: int = history, rate: float = decay) -> sparse.csr_matrix:
            return recent(histories, n, last=count, decay=rate)

        return {
            "after": lambda h: log(last(h), self.forward, GAIN),
            "next": lambda h: log(last(h, NEXT, NEXT_DECAY), self.forward, GAIN),
            "before": lambda h: log(last(h), self.backward, GAIN),
            "cosine": lambda h: log(last(h), self.cosine, COSINE_GAIN),
            "two_hop": lambda h: log(last(h) @ self.steps, self.cosine, COSINE_GAIN),
            "popularity": lambda h: np.tile(np.log1p(self.events), (len(h), 1)),
            "taken": lambda h: self.taken(h, habit_days),
        }

    def taken(self, histories: Histories, half_life: float) -> F32:
        """log(1 + own events of each item, those of half_life days ago as halves). [n, n_codes]"""
        weight = (0.5 ** (ages(histories) / half_life)).astype(np.float32)
        shape = (len(histories), len(self.events))
        found = sparse.csr_matrix((weight, (histories.rows, histories.items)), shape=shape)
        dense: F32 = np.log1p(found.toarray())
        return dense

    @cached_property
    def backward(self) -> sparse.csr_matrix:
        """What was taken before what. [n_codes, n_codes]"""
        return self.forward.T.tocsr()

    @cached_property
    def cosine(self) -> sparse.csr_matrix:
        """Pairs either way over the root of both items' events. [n_codes, n_codes]"""
        norm = sparse.diags((self.events + SHRINK) ** -0.5)
        return (norm @ self._either @ norm).tocsr().astype(np.float32)

    @cached_property
    def steps(self) -> sparse.csr_matrix:
        """Pairs either way as shares of their row: one step of a random walk. [n_codes, n_codes]"""
        total = np.asarray(self._either.sum(axis=1)).ravel() + SHRINK
        return (sparse.diags(1 / total) @ self._either).tocsr().astype(np.float32)

    @property
    def _either(self) -> sparse.csr_matrix:
        return (self.forward + BACK * self.backward).tocsr()

    def save(self, folder: Path) -> None:
        """Write counts.safetensors and hybrid_taken.npy."""
        ItemToItem(self.forward, self.tie, self.config).save(folder)
        np.save(folder / TAKEN, self.events)

    @classmethod
    def load(cls, folder: Path, config: ItemToItemConfig) -> "Counted":
        """Read what `save` wrote."""
        held = counts.read(folder, config)
        return cls(held.counts, np.load(folder / TAKEN, allow_pickle=False), held.tie, config)


class Hybrid(Scorer):
    """Weighted sum of `parts` (names to functions that score every item), by the blend."""

    def __init__(self, parts: dict[str, Part], blend: Blend, tie: F32) -> None:
        self.parts, self.blend, self.tie = parts, blend, tie

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.tie)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What the model holds for each item code."""
        return {"tie": self.tie}

    def scores(self, histories: Histories) -> F32:
        """Sum of weight * part. [n, n_codes]"""
        weights = self.blend.of(histories.lengths)
        total = np.tile(np.float32(LEAST) * self.tie, (len(histories), 1))
        for n, part in enumerate(self.parts.values()):
            total += weights[:, n, None] * part(histories)
        return total


def sequence_part(encoders: list[Encoder]) -> Part:
    """Mean logit of sequence models; an item that a model never saw gets the row's least, an empty row 0. [n, n_codes]"""

    def score(histories: Histories) -> F32:
        total = np.zeros((len(histories), len(encoders[0].known)), dtype=np.float32)
        for encoder in encoders:
            logits = encoder.scores(histories)
            least = logits[:, encoder.known].min(axis=1)
            total += np.where(encoder.known, logits, least[:, None])
        return total / np.float32(len(encoders))

    return score


def counted_of(histories: Histories, *, n_codes: int, config: ItemToItemConfig) -> Counted:
    """Histories of all users -> what is counted in them."""
    events = np.bincount(histories.items, minlength=n_codes).astype(np.float32)
    forward = following(histories, n_codes, window=config.window)
    return Counted(forward, events, tie_breaker(histories, n_codes), config)


def parts_of(folder: Path, config: ModelConfig, counted: Counted, *, threads: int) -> dict[str, Part]:
    """The configured parts; those that have files of their own are read from the folder."""
    files: dict[str, Callable[[], Part]] = {
        "sasrec": lambda: sequence_part([Encoder.load(p, threads=threads) for p in folders(folder, config)]),
        "content": lambda: Likeness.load(folder).scores,
        "ease": lambda: ease.read(folder, config.ease).scores,
        "als": lambda: als.read(folder, config.als).scores,
        "trending": lambda: Freshness.load(folder, config.freshness).trending,
        "fresh": lambda: Freshness.load(folder, config.freshness).fresh,
        "friends": lambda: Friends.load(folder).scores,
    }
    cheap = counted.parts(config.hybrid.habit_days)
    return {name: files[name]() if name in files else cheap[name] for name in config.hybrid.parts}


def folders(folder: Path, config: ModelConfig) -> list[Path]:
    """Where each sequence model lives."""
    return [folder / f"sequence_{n + 1}" for n in range(config.hybrid.sequences)]


def load(folder: Path, *, threads: int = 1) -> Hybrid:
    """Read what `fit` wrote."""
    config = ModelConfig(**facts_of(folder)["config"])
    counted = Counted.load(folder, config.item_to_item)
    held = json.loads((folder / BLEND).read_text())
    blend = Blend(np.array(held["weights"], dtype=np.float32), tuple(held["lengths"]))
    return Hybrid(parts_of(folder, config, counted, threads=threads), blend, counted.tie)
