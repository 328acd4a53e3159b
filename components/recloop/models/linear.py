"""Linear item-to-item weights in closed form over the items that most users took (EASE, Steck 2019, equation 8)."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy import sparse

from recloop import tensors
from recloop.config import CandidatesConfig
from recloop.data.habits import Habits, habits
from recloop.data.histories import Histories
from recloop.errors import BadArtifact
from recloop.models.ease import solved

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
FILE = "linear.safetensors"


@dataclass(frozen=True)
class Linear:
    """What each item of `head` says of others of it: the `m` largest weights by size, of either sign."""

    head: NDArray[np.int32]  # [h] item codes, ascending
    places: NDArray[np.int32]  # [h, m] places in `head`
    values: F32  # [h, m]

    @classmethod
    def none(cls) -> "Linear":
        """Of no item."""
        return cls(np.zeros(0, dtype=np.int32), np.zeros((0, 0), dtype=np.int32), np.zeros((0, 0), dtype=np.float32))

    @cached_property
    def weights(self) -> sparse.csr_matrix:
        """The table. [h, h]"""
        h, m = self.places.shape
        return sparse.csr_matrix((self.values.ravel(), self.places.ravel(), np.arange(h + 1) * m), shape=(h, h))

    def at(self, rows: I64, items: I64, *, habit: Habits, n: int) -> F32:
        """Strength of what each of n rows took times its weight for the item; 0 outside the head. [pairs]"""
        if not len(self.head):
            return np.zeros(len(rows), dtype=np.float32)
        scores = (_taken(habit, self.head, n) @ self.weights).toarray()
        place, there = _places(self.head, items)
        found: F32 = np.where(there, scores[rows, place], 0).astype(np.float32)
        return found

    def save(self, path: Path) -> None:
        """Write safetensors."""
        tensors.save({"head": self.head, "places": self.places, "values": self.values}, path)

    @classmethod
    def load(cls, path: Path) -> "Linear":
        """Read what `save` wrote. Raises BadArtifact where places or values cannot be."""
        found = cls(**load_file(path))
        inside = (found.places >= 0) & (found.places < len(found.head))
        if not inside.all() or not np.isfinite(found.values).all() or (np.diff(found.head) <= 0).any():
            raise BadArtifact(f"{path} names items out of order or beyond its own, or values that are not finite.")
        return found


def fit_linear(histories: Histories, *, n_codes: int, config: CandidatesConfig) -> Linear:
    """Histories of all users -> Linear over the `linear_items` items with most buyers.

    Three dense tables of linear_items by linear_items are held: 12 bytes a pair.
    """
    habit = habits(histories, n_codes)
    buyers = np.bincount(habit.items, minlength=n_codes)
    size = min(config.linear_items, int(np.count_nonzero(buyers)))
    head = np.sort(np.lexsort((np.arange(n_codes), -buyers))[:size]).astype(np.int32)
    if not size:
        return Linear.none()
    weights = solved(_taken(habit, head, len(histories)), config.linear_l2)
    return Linear(head, *_strongest(weights, config.linear_weights))


def _strength(habit: Habits) -> F32:
    """How much a row's item counts: its purchases of half-life 90 days, less than linearly. [pairs]"""
    return np.log1p(np.log1p(habit.decayed[2]))


def _taken(habit: Habits, head: NDArray[np.int32], n: int) -> sparse.csr_matrix:
    """Strengths of the items of the head. [n, h]"""
    place, there = _places(head, habit.items)
    return sparse.csr_matrix((_strength(habit)[there], (habit.rows[there], place[there])), shape=(n, len(head)))


def _places(head: NDArray[np.int32], items: I64) -> tuple[I64, NDArray[np.bool_]]:
    """Place of each item in the head, and whether it is there. [items] each"""
    place = np.minimum(np.searchsorted(head, items), len(head) - 1)
    return place, head[place] == items


def _strongest(weights: F32, kept: int) -> tuple[NDArray[np.int32], F32]:
    """Columns and values of each row's largest weights by size, columns ascending. [h, <= kept] each"""
    size = np.abs(weights)
    count = min(kept, size.shape[1])
    found = np.sort(np.argpartition(-size, count - 1, axis=1)[:, :count], axis=1)
    return found.astype(np.int32), np.take_along_axis(weights, found, axis=1)
