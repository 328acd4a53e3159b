"""Content: what an item is, not who took it, so that items nobody took yet are ranked too. Needs numpy only.

A user is the decayed sum, over the last items, of what kind of item is taken around each (learnt in closed form, see
`content_fit`); the score of an item is the product with the item's own vector.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from recloop import tensors
from recloop.config import ContentConfig
from recloop.data.histories import Histories
from recloop.models.counts import recent
from recloop.models.family import facts_of
from recloop.models.scorer import Scorer

F32 = NDArray[np.float32]
FILE = "content.safetensors"


class Content(Scorer):
    """`of_user`, `of_item` [n_codes, dim]: an item as part of a history and as an answer; a row of zeros is unknown."""

    def __init__(self, of_user: F32, of_item: F32, config: ContentConfig) -> None:
        self.of_user, self.of_item, self.config = of_user, of_item, config
        self.turned = np.ascontiguousarray(of_item.T)
        self.known = of_item.any(axis=1)

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.of_item)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Both vectors of each item."""
        return {"of_user": self.of_user, "of_item": self.of_item}

    def scores(self, histories: Histories) -> F32:
        """Likeness to the history; -inf for an item without a vector. [n, n_codes]"""
        found = self.likeness(histories)
        found[:, ~self.known] = -np.inf
        return found

    def likeness(self, histories: Histories) -> F32:
        """Product of each row's unit profile and every item's vector; 0 without a history. [n, n_codes]"""
        weights = recent(histories, self.n_codes, last=self.config.history, decay=self.config.decay)
        profile = weights @ self.of_user
        length = np.sqrt((profile**2).sum(axis=1, keepdims=True))
        found: F32 = (profile / np.maximum(length, 1e-9)).astype(np.float32) @ self.turned
        return found

    def save(self, folder: Path) -> None:
        """Write content.safetensors."""
        tensors.save({"of_user": self.of_user, "of_item": self.of_item}, folder / FILE)


def load(folder: Path, *, threads: int = 1) -> Content:
    """Read what the fit wrote."""
    del threads
    found = load_file(folder / FILE)
    return Content(found["of_user"], found["of_item"], ContentConfig(**facts_of(folder)["content"]))
