"""Neural collaborative filtering (He et al. 2017) and its dot-product rival (Rendle et al. 2020), read and served by numpy.

A learnt user has a vector of its own. Anyone else's is folded in from the history: the sum of `fold` rows of its distinct
items over the root of their number, where `fold` is the ridge regression of the learnt user vectors on their histories.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from recloop.data.histories import Histories
from recloop.models.scorer import F32, Scorer

WEIGHTS = "ncf.safetensors"
DEEP_CELLS = 1 << 18
"""(row, item) pairs whose hidden layers are held at once"""


class NCF(Scorer):
    """Any model of the family: which parts it has is what its file holds."""

    def __init__(self, weights: dict[str, F32]) -> None:
        self.weights = weights
        self.fold = weights["fold"]

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.fold)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Rows of item codes. [n_codes, ...]"""
        names = ("fold", "item_factors", "item_deep", "item_bias")
        return {name: self.weights[name] for name in names if name in self.weights}

    def scores(self, histories: Histories) -> F32:
        """Logits of every item for users known by their history alone; -inf without a known item. [n, n_codes]"""
        found = self.scores_of(folded(histories, self.fold))
        found[histories.lengths == 0] = -np.inf
        return found

    def known(self, users: NDArray[np.integer]) -> F32:
        """Learnt vectors of user codes, as `scores_of` takes them. [n, dim]"""
        tables = [self.weights[name] for name in ("user_factors", "user_deep") if name in self.weights]
        return np.concatenate([table[users] for table in tables], axis=1)

    def scores_of(self, vectors: F32) -> F32:
        """User vectors [n, dim] -> logits of every item. [n, n_codes]"""
        wide = self._factors
        found = np.zeros((len(vectors), self.n_codes), dtype=np.float32)
        if wide:
            found += (vectors[:, :wide] * self.weights["output_factors"]) @ self.weights["item_factors"].T
        found += self.weights["item_bias"]
        if "item_deep" in self.weights:
            rows = max(1, DEEP_CELLS // self.n_codes)
            for start in range(0, len(vectors), rows):
                found[start : start + rows] += self._deep(vectors[start : start + rows, wide:])
        return found

    @property
    def _factors(self) -> int:
        """Columns of the factorised part."""
        return self.weights["item_factors"].shape[1] if "item_factors" in self.weights else 0

    def _deep(self, vectors: F32) -> F32:
        """Logits of the perceptron, whose first layer is split into a user's and an item's half. [n, n_codes]"""
        own = vectors @ self.weights["first_user.weight"].T + self.weights["first_user.bias"]
        items = self.weights["item_deep"] @ self.weights["first_item.weight"].T
        state = np.maximum(own[:, None] + items, 0).reshape(-1, own.shape[1])  # [n * n_codes, hidden]
        for layer in range(sum(name.startswith("rest.") for name in self.weights) // 2):
            state = state @ self.weights[f"rest.{layer}.weight"].T + self.weights[f"rest.{layer}.bias"]
            np.maximum(state, 0, out=state)
        return (state @ self.weights["output_deep"]).reshape(len(vectors), -1)


def folded(histories: Histories, fold: F32) -> F32:
    """User vectors from histories: sum of fold rows of distinct items over the root of their number. [n, dim]"""
    keys = np.unique(histories.rows * len(fold) + histories.items)
    rows, items = keys // len(fold), keys % len(fold)
    counts = np.bincount(rows, minlength=len(histories))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    total = np.concatenate([np.zeros((1, fold.shape[1])), np.cumsum(fold[items], axis=0, dtype=np.float64)])
    summed = total[offsets[1:]] - total[offsets[:-1]]
    vectors: F32 = (summed / np.sqrt(np.maximum(counts, 1))[:, None]).astype(np.float32)
    return vectors


def load(folder: Path, *, threads: int) -> NCF:
    """Read what a fit of the family wrote; numpy brings its own threads."""
    return NCF(load_file(folder / WEIGHTS))
