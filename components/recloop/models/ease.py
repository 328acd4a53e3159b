"""EASE: a linear autoencoder of the whole catalogue in closed form (Steck 2019, equation 8)."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from recloop.config import EaseConfig
from recloop.data.histories import Histories
from recloop.errors import BadData
from recloop.models.counts import recent, tie_breaker
from recloop.models.family import Fitted, facts_of
from recloop.models.scorer import F32, Scorer
from recloop.models.task import Task

WEIGHTS, TIE = "ease.npy", "ease_tie.npy"
LEAST = 1e-6
"""what popularity adds at most, so that equal scores have an order"""


class Ease(Scorer):
    """`weights` [n_codes, n_codes]: row = what is in the history; `tie` [n_codes]: 0..1."""

    def __init__(self, weights: F32, tie: F32, config: EaseConfig) -> None:
        self.weights, self.tie, self.config = weights, tie, config

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.weights)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What the model holds for each item code."""
        return {"tie": self.tie}

    def scores(self, histories: Histories) -> F32:
        """Sum over the history of decay ** age * weight. [n, n_codes]"""
        longest = int(histories.lengths.max(initial=0))
        taken = recent(histories, self.n_codes, last=longest, decay=self.config.decay)
        found: F32 = taken @ self.weights
        return found + np.float32(LEAST) * self.tie


def fit(task: Task) -> Fitted:
    """Write ease.npy, learnt from events before the cut. Raises BadData where the catalogue is too large or the past empty."""
    config, past = task.config.ease, task.past
    if not len(past.items):
        raise BadData("EASE has nothing to learn: nobody took anything before the cut. Bring more history.")
    weights = ease_weights(past, n_codes=task.n_codes, config=config)
    np.save(task.out / WEIGHTS, weights)
    np.save(task.out / TIE, tie_breaker(past, task.n_codes))
    return Fitted({"ease_weight": float(np.abs(weights).mean())}, {"ease": config.model_dump()})


def load(folder: Path, *, threads: int = 1) -> Ease:
    """Read what `fit` wrote; the table stays on disk until it is used, one thread does."""
    del threads
    return read(folder, EaseConfig(**facts_of(folder)["ease"]))


def read(folder: Path, config: EaseConfig) -> Ease:
    """ease.npy -> the model."""
    weights = np.load(folder / WEIGHTS, mmap_mode="r", allow_pickle=False)
    return Ease(weights, np.load(folder / TIE, allow_pickle=False), config)


def ease_weights(histories: Histories, *, n_codes: int, config: EaseConfig) -> F32:
    """B = I - P diag(1 / diag P), P = (X'X + l2 I)^-1 over the items that occur; zero elsewhere. [n_codes, n_codes]

    Raises BadData above config.most_items: the fit takes 12 bytes a pair of items.
    """
    known = np.unique(histories.items)
    if len(known) > config.most_items:
        raise BadData(
            f"EASE holds three tables of items by items: {len(known):,} items take {12 * len(known) ** 2 / 2**30:.1f} GiB, and "
            f"model.ease.most_items allows {config.most_items:,}. Raise it if memory allows, raise split.min_item_events, or "
            "choose model.kind: als."
        )
    weights = np.zeros((n_codes, n_codes), dtype=np.float32)
    weights[np.ix_(known, known)] = solved(_taken(histories, known), config.l2)
    return weights


def _taken(histories: Histories, known: np.ndarray) -> sparse.csr_matrix:
    """Who took what, as ones. [n, known items]"""
    ones = np.ones(len(histories.items), dtype=np.float32)
    columns = np.searchsorted(known, histories.items)
    made = sparse.csr_matrix((ones, (histories.rows, columns)), shape=(len(histories), len(known)))
    made.data[:] = 1
    return made


def solved(taken: sparse.csr_matrix, l2: float) -> F32:
    """The weights with a zero diagonal. [known items, known items]"""
    gram = (taken.T @ taken).toarray().astype(np.float32)
    gram[np.diag_indices(len(gram))] += np.float32(l2)
    factor, _ = linalg.lapack.spotrf(gram, lower=1, overwrite_a=1)
    inverse, _ = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    inverse /= -np.diag(inverse)[None, :]
    inverse[np.diag_indices(len(inverse))] = 0
    found: F32 = inverse
    return found
