"""Item-kNN: items bought in the same visits, by shrunk cosine (Sarwar et al. 2001; Deshpande and Karypis 2004)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy import sparse

from recloop import tensors
from recloop.data.habits import ages
from recloop.data.histories import Histories
from recloop.errors import BadData
from recloop.models.family import Fitted
from recloop.models.scorer import Scorer
from recloop.models.task import Task

BLOCK = 2000
"""items whose similarities are held at once; at most 2 ** (33 - CODE_BITS)"""
CODE_BITS = 22
"""of an item's code in a sort key"""
SHRINK = 10.0
FILE = "item_knn.safetensors"
F32 = NDArray[np.float32]


class ItemKNN(Scorer):
    """The nearest items of each item: `neighbours` [n_codes, m] codes (0 = none), `similarity` [n_codes, m]."""

    def __init__(self, neighbours: NDArray[np.int32], similarity: F32, *, half_life: float) -> None:
        self.neighbours = neighbours
        self.similarity = similarity
        self.half_life = half_life

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.neighbours)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Neighbours and similarity."""
        return {"neighbours": self.neighbours, "similarity": self.similarity}

    def scores(self, histories: Histories) -> F32:
        """Nearness to the history; -inf where an item is near to none of it. [n, n_codes]"""
        found = self.nearness(histories)
        found[found == 0] = -np.inf
        return found

    def nearness(self, histories: Histories) -> F32:
        """Sum over the history of decayed similarity. [n, n_codes]"""
        width = len(self.neighbours)
        weight = 0.5 ** (ages(histories) / self.half_life)
        keys = histories.rows[:, None] * width + self.neighbours[histories.items]
        values = weight[:, None] * self.similarity[histories.items]
        total = np.bincount(keys.ravel(), weights=values.ravel(), minlength=len(histories) * width)
        scores = total.reshape(len(histories), width).astype(np.float32)
        scores[:, 0] = 0
        return scores

    def save(self, path: Path) -> None:
        """Write safetensors."""
        half_life = np.array([self.half_life], dtype=np.float32)
        tensors.save({"neighbours": self.neighbours, "similarity": self.similarity, "half_life": half_life}, path)

    @classmethod
    def load(cls, path: Path) -> "ItemKNN":
        """Read what `save` wrote."""
        found = load_file(path)
        return cls(found["neighbours"], found["similarity"], half_life=float(found["half_life"][0]))


def fit(task: Task) -> Fitted:
    """Item-kNN as of the cut, by model.candidates."""
    made(task).save(task.out / FILE)
    return Fitted({}, {})


def made(task: Task) -> ItemKNN:
    """The model."""
    counts = task.config.candidates
    return fit_item_knn(task.past, n_codes=task.n_codes, neighbours=counts.neighbours, half_life=counts.half_life_days)


def load(folder: Path, *, threads: int = 1) -> ItemKNN:
    """Read what `fit` wrote."""
    return ItemKNN.load(folder / FILE)


def fit_item_knn(histories: Histories, *, n_codes: int, neighbours: int, half_life: float) -> ItemKNN:
    """Histories of all users -> ItemKNN over their visits (events of one user at one moment). Raises BadData."""
    if n_codes > 2**CODE_BITS:
        raise BadData(
            f"Item-kNN orders at most {2**CODE_BITS - 1:,} items; the vocabulary has {n_codes - 1:,}. Raise "
            "split.min_item_events."
        )
    visits = _visits(histories, n_codes)
    counts = np.asarray(visits.sum(axis=0)).ravel()
    norm = (1 / np.sqrt(counts + SHRINK)).astype(np.float32)
    found = np.zeros((n_codes, neighbours), dtype=np.int32)
    similarity = np.zeros((n_codes, neighbours), dtype=np.float32)
    turned = visits.T.tocsr()
    for start in range(0, n_codes, BLOCK):
        together = (turned[start : start + BLOCK] @ visits).tocsr()
        _keep_nearest(together, start, norm, found, similarity)
    return ItemKNN(found, similarity, half_life=half_life)


def _visits(histories: Histories, n_codes: int) -> sparse.csr_matrix:
    """Which items each visit holds, as ones. [visits, n_codes]"""
    rows = histories.rows
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (histories.times[1:] != histories.times[:-1]) | (rows[1:] != rows[:-1])
    visit = np.cumsum(fresh) - 1
    ones = np.ones(len(rows), dtype=np.float32)
    made = sparse.csr_matrix((ones, (visit, histories.items)), shape=(int(visit[-1]) + 1 if len(rows) else 1, n_codes))
    made.sum_duplicates()
    made.data[:] = 1
    return made


def _keep_nearest(
    together: sparse.csr_matrix, start: int, norm: F32, found: NDArray[np.int32], similarity: F32
) -> None:
    """Write the nearest items of one block of items into `found` and `similarity`."""
    item = np.repeat(np.arange(together.shape[0], dtype=np.uint64), np.diff(together.indptr))
    own = (item + np.uint64(start)).astype(np.int64)
    cosine = (together.data * norm[together.indices] * norm[own]).astype(np.float32, copy=False)
    near = (cosine > 0) & (together.indices != own)
    # one sort of whole numbers orders by item, falling cosine and code: positive floats ascend as their bits do
    falling = ~cosine[near].view(np.uint32) & np.uint32(2**31 - 1)
    codes = together.indices[near].astype(np.uint64)
    keys = np.sort((item[near] << 31 + CODE_BITS) | (falling.astype(np.uint64) << CODE_BITS) | codes)
    rows = (keys >> 31 + CODE_BITS).astype(np.int64)
    rank = np.arange(len(keys)) - np.searchsorted(rows, rows)
    kept = rank < found.shape[1]
    at, best = (start + rows[kept], rank[kept]), keys[kept]
    found[at] = best & np.uint64(2**CODE_BITS - 1)
    similarity[at] = (~(best >> CODE_BITS).astype(np.uint32) & np.uint32(2**31 - 1)).view(np.float32)
