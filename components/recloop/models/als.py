"""Implicit-feedback matrix factorisation by alternating least squares (Hu, Koren and Volinsky 2008), fitted by `implicit`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from recloop.config import AlsConfig
from recloop.data.histories import Histories
from recloop.errors import BadData
from recloop.models.family import Fitted, facts_of
from recloop.models.scorer import F32, Scorer
from recloop.models.task import Task

FACTORS = "als_items.npy"


class Als(Scorer):
    """`factors` [n_codes, dim]; a user's factors are solved for from the history, so that nobody is unknown."""

    def __init__(self, factors: F32, config: AlsConfig) -> None:
        self.factors, self.config = factors, config
        self.gram = factors.T @ factors + np.float32(config.l2) * np.eye(factors.shape[1], dtype=np.float32)

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.factors)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What the model holds for each item code."""
        return {"factors": self.factors}

    def scores(self, histories: Histories) -> F32:
        """Preference of every item. [n, n_codes]"""
        found: F32 = self.users(histories) @ self.factors.T
        return found

    def users(self, histories: Histories) -> F32:
        """Factors of each row: (Y'Y + Y'(C - I)Y + l2 I)^-1 Y'C 1, equation 4 of the paper. [n, dim]"""
        own, weight = self._padded(taken(histories, self.n_codes, self.config.alpha))
        left = own.transpose(0, 2, 1) @ (weight[:, :, None] * own) + self.gram  # [n, dim, dim]
        right = ((weight + (weight > 0))[:, None, :] @ own)[:, 0]  # [n, dim]
        solved: F32 = np.linalg.solve(left, right[:, :, None])[:, :, 0]
        return solved

    def _padded(self, weight: sparse.csr_matrix) -> tuple[F32, F32]:
        """Factors [n, most, dim] and weights [n, most] of what each row holds; weight 0 is padding."""
        lengths = np.diff(weight.indptr)
        inside = np.arange(lengths.max(initial=1)) < lengths[:, None]
        codes, values = np.zeros(inside.shape, dtype=np.int32), np.zeros(inside.shape, dtype=np.float32)
        codes[inside], values[inside] = weight.indices, weight.data
        return self.factors[codes], values


def fit(task: Task) -> Fitted:
    """Write als_items.npy, learnt from events before the cut. Raises BadData where there is none."""
    past = task.past
    if not len(past.items):
        raise BadData("ALS has nothing to learn: nobody took anything before the cut. Bring more history.")
    factors = als_factors(past, n_codes=task.n_codes, config=task.config.als, seed=task.seed, tell=task.tell)
    np.save(task.out / FACTORS, factors)
    return Fitted({"als_norm": float(np.linalg.norm(factors, axis=1).mean())}, {"als": task.config.als.model_dump()})


def load(folder: Path, *, threads: int = 1) -> Als:
    """Read what `fit` wrote; numpy's threads are not ours to set."""
    del threads
    return read(folder, AlsConfig(**facts_of(folder)["als"]))


def read(folder: Path, config: AlsConfig) -> Als:
    """als_items.npy -> the model."""
    return Als(np.load(folder / FACTORS, allow_pickle=False), config)


def als_factors(
    histories: Histories, *, n_codes: int, config: AlsConfig, seed: int, tell: Callable[[str, float], None]
) -> F32:
    """Histories of all users -> item factors; the same bytes for the same seed, as one thread does it. [n_codes, dim]"""
    # compiled code of a fit is no business of a service
    from implicit.als import AlternatingLeastSquares

    confidence = taken(histories, n_codes, config.alpha)
    confidence.data += 1
    with threadpool_limits(1):
        model = AlternatingLeastSquares(
            factors=config.dim,
            regularization=config.l2,
            iterations=config.rounds,
            num_threads=1,
            random_state=seed,
            use_gpu=False,
        )
        model.fit(confidence, show_progress=False, callback=lambda n, *_: tell("als", (n + 1) / config.rounds))
    factors: F32 = np.ascontiguousarray(model.item_factors, dtype=np.float32)
    return factors


def taken(histories: Histories, n_codes: int, alpha: float) -> sparse.csr_matrix:
    """alpha * how often each row took each item. [n, n_codes]"""
    ones = np.full(len(histories.items), alpha, dtype=np.float32)
    made = sparse.csr_matrix((ones, (histories.rows, histories.items)), shape=(len(histories), n_codes))
    made.sum_duplicates()
    return made
