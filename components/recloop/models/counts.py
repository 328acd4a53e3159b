"""Item-to-item counts: what users took soon after an item, summed over the last items of a history. No training.

The floor of every published comparison on the Amazon sets: it beats most sequence models as their papers report them.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy import sparse

from recloop import tensors
from recloop.config import ItemToItemConfig
from recloop.data.histories import Histories
from recloop.errors import BadData
from recloop.models.family import Fitted, facts_of
from recloop.models.scorer import F32, Scorer
from recloop.models.task import Task

FILE = "counts.safetensors"
TIE = 1e-3
"""what popularity adds at most: less than the smallest count that one event can give"""


class ItemToItem(Scorer):
    """`counts` [n_codes, n_codes]: row = what was taken first; `tie` [n_codes]: 0..1, orders what is counted alike."""

    def __init__(self, counts: sparse.csr_matrix, tie: F32, config: ItemToItemConfig) -> None:
        self.counts, self.tie, self.config = counts, tie, config

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.tie)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What the model holds for each item code."""
        return {"tie": self.tie}

    def scores(self, histories: Histories) -> F32:
        """Decayed counts, as log(1 + gain c) where `gain` is not 0, and popularity below what one count gives."""
        found = self.counted(histories)
        if self.config.gain:
            found = np.log1p(np.float32(self.config.gain) * found)
        found += TIE * self.tie
        return found

    def counted(self, histories: Histories) -> F32:
        """Sum over the last items of decay ** (age in events) * counts. [n, n_codes]"""
        weights = recent(histories, self.n_codes, last=self.config.history, decay=self.config.decay)
        found: F32 = (weights @ self.counts).toarray()
        return found

    def save(self, folder: Path) -> None:
        """Write counts.safetensors."""
        parts = {
            "data": self.counts.data,
            "indices": self.counts.indices.astype(np.int32),
            "indptr": self.counts.indptr.astype(np.int64),
            "tie": self.tie,
        }
        tensors.save(parts, folder / FILE)


def fit(task: Task) -> Fitted:
    """Write counts.safetensors, learnt from events before the cut. Raises BadData where nobody has two events."""
    config = task.config.item_to_item
    model = fit_counts(task.past, n_codes=task.n_codes, config=config)
    if not model.counts.nnz:
        raise BadData(f"Nothing follows anything: none of {len(task.past):,} users has two events. Bring more history.")
    model.save(task.out)
    return Fitted({"item_to_item_pairs": float(model.counts.nnz)}, {"item_to_item": config.model_dump()})


def load(folder: Path, *, threads: int = 1) -> ItemToItem:
    """Read what `fit` wrote; one thread does."""
    del threads
    return read(folder, ItemToItemConfig(**facts_of(folder)["item_to_item"]))


def read(folder: Path, config: ItemToItemConfig) -> ItemToItem:
    """counts.safetensors -> the model."""
    found = load_file(folder / FILE)
    n = len(found["tie"])
    counts = sparse.csr_matrix((found["data"], found["indices"], found["indptr"]), shape=(n, n))
    return ItemToItem(counts, found["tie"], config)


def fit_counts(histories: Histories, *, n_codes: int, config: ItemToItemConfig) -> ItemToItem:
    """Histories of all users -> ItemToItem: pairs count 1 / gap one way and `back` / gap the other."""
    forward = following(histories, n_codes, window=config.window)
    counts = (forward + config.back * forward.T).tocsr() if config.back else forward
    counts.sort_indices()
    return ItemToItem(counts.astype(np.float32), tie_breaker(histories, n_codes), config)


def following(histories: Histories, n_codes: int, *, window: int) -> sparse.csr_matrix:
    """How often an item was taken after another, each time 1 / events between. [n_codes, n_codes]"""
    rows, items = histories.rows, histories.items
    total = sparse.csr_matrix((n_codes, n_codes), dtype=np.float32)
    for gap in range(1, window + 1):
        near = np.flatnonzero(rows[gap:] == rows[:-gap]) if gap < len(rows) else np.zeros(0, dtype=np.int64)
        weight = np.full(len(near), 1 / gap, dtype=np.float32)
        total = total + sparse.csr_matrix((weight, (items[near], items[near + gap])), shape=(n_codes, n_codes))
    return total.tocsr()


def recent(histories: Histories, n_codes: int, *, last: int, decay: float) -> sparse.csr_matrix:
    """decay ** age of each row's last events, the newest of age 0. [n, n_codes]"""
    rows = histories.rows
    age = histories.offsets[rows + 1] - 1 - np.arange(len(rows))
    kept = age < last
    weight = np.float32(decay) ** age[kept].astype(np.float32)
    return sparse.csr_matrix((weight, (rows[kept], histories.items[kept])), shape=(len(histories), n_codes))


def tie_breaker(histories: Histories, n_codes: int) -> F32:
    """Place of each item by popularity, then by a hash of its code: codes are given in order of time and foretell. [n_codes]"""
    counts = np.bincount(histories.items, minlength=n_codes)
    order = np.lexsort((hashed(np.arange(n_codes)), counts))
    place = np.empty(n_codes, dtype=np.float32)
    place[order] = np.arange(n_codes, dtype=np.float32) / n_codes
    return place


def hashed(codes: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Codes in no order: the finaliser of splitmix64 (Steele et al. 2014)."""
    x = codes.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(31))
