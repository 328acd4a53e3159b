"""Fit the content model: vectors of texts or from files, and what kind of item is taken around each."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recloop.config import ContentConfig
from recloop.data.histories import Histories
from recloop.errors import BadData
from recloop.models.content import Content
from recloop.models.counts import following
from recloop.models.family import Fitted
from recloop.models.item_vectors import item_vectors
from recloop.models.task import Task

F32 = NDArray[np.float32]
SHRINK = 5.0
"""events of an item at which its own counts are trusted by half; also added in their norm"""


def fit(task: Task) -> Fitted:
    """Write content.safetensors. Raises BadData where no item has a vector, or a file of vectors cannot be used."""
    config = task.config.content
    vectors = item_vectors(task)
    model = fit_content(task.past, vectors, config)
    model.save(task.out)
    described = np.count_nonzero(vectors[1:].any(axis=1)) / (len(vectors) - 1)
    return Fitted({"content_items_described": described}, {"content": config.model_dump()})


def fit_content(histories: Histories, vectors: F32, config: ContentConfig) -> Content:
    """Histories of all users, vectors of all items [n_codes, dim] -> Content."""
    if not config.learnt:
        return Content(vectors, vectors, config)
    return Content(following_content(histories, vectors, config), vectors, config)


def following_content(histories: Histories, vectors: F32, config: ContentConfig) -> F32:
    """What kind of item is taken around each item: the vector u_i for which u_i v_j is nearest to the counts of i and j.

    Counts C are normed by how often both were taken. Ridge regression on the vectors V of what was taken: U = C V A^-1, A =
    V'V + ridge. An item seen n times gets n / (n + SHRINK) of its own, and the rest from its contents by a second
    regression, V W with W = A^-1 V' U: all of it, where nobody took it yet. [n_codes, dim]
    """
    n = len(vectors)
    taken = np.bincount(histories.items, minlength=n)
    seen = np.where((taken > 0)[:, None], vectors, 0).astype(np.float64)
    own = seen.T @ seen
    if not own.any():
        raise BadData(
            "Content has nothing to learn: no item that was taken has a vector. Describe the items (title, category, text), "
            "name folders of vectors in model.content.vectors, or set model.content.learnt: false."
        )
    own += config.ridge * np.trace(own) / len(own) * np.eye(len(own))
    around = np.linalg.solve(own, (_counts(histories, taken, config) @ seen).T).T
    like = vectors @ np.linalg.solve(own, seen.T @ around)
    trust = (taken / (taken + SHRINK))[:, None]
    found: F32 = (trust * around + (1 - trust) * like).astype(np.float32)
    return found


def _counts(histories: Histories, taken: NDArray[np.int64], config: ContentConfig) -> sparse.csr_matrix:
    """Item-to-item counts, each divided by the root of how often its two items were taken. [n_codes, n_codes]"""
    forward = following(histories, len(taken), window=config.window)
    norm = sparse.diags(1 / np.sqrt(taken + SHRINK))
    return (norm @ (forward + config.back * forward.T) @ norm).tocsr()
