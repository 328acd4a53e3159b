"""A linear blend of several scores, by length of the history: learnt as a softmax over the candidates of each user."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recloop.errors import BadData

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
ROUNDS = 100
SHARED = 0.25
"""how much freer the weights that all lengths share are than what each length adds to them"""


@dataclass(frozen=True)
class Blend:
    """`weights` [lengths + 1, parts]; row b holds for histories longer than lengths[b - 1] and not longer than lengths[b]."""

    weights: F32
    lengths: tuple[int, ...]

    def of(self, lengths: NDArray[np.int64]) -> F32:
        """Weights of the parts for histories of these lengths. [n, parts]"""
        found: F32 = self.weights[bucket(lengths, self.lengths)]
        return found


@dataclass(frozen=True)
class Choices:
    """Candidates of n users as one ragged table: what was on offer, and what was taken."""

    offsets: NDArray[np.int64]  # [n + 1]
    scores: F32  # [pairs, parts]
    taken: NDArray[np.bool_]  # [pairs]
    lengths: NDArray[np.int64]  # [n] events in each history


def bucket(lengths: NDArray[np.int64], edges: tuple[int, ...]) -> NDArray[np.int64]:
    """Which weights a history has. [n]"""
    return np.searchsorted(np.asarray(edges, dtype=np.int64), lengths, side="left")


def fit_blend(choices: Choices, *, edges: tuple[int, ...], l2: float) -> tuple[Blend, float]:
    """Weights that make what was taken likeliest among the candidates, and the mean loss of a user, in nats.

    Users of whom no candidate was taken teach nothing; raises BadData where that is everybody. Convex, so there is one
    answer: L-BFGS from 0.
    """
    choices = _telling(choices)
    if len(choices.offsets) < 2:
        raise BadData(
            "The hybrid cannot be blended: in the window that its weights are learnt on, nobody took an item that a part "
            "proposed. Bring more history, or name more parts in model.hybrid.parts."
        )
    spread = np.maximum(choices.scores.std(axis=0, dtype=np.float64), 1e-6)
    shape = (len(edges) + 2, choices.scores.shape[1])
    loss = _Loss(choices, (choices.scores / spread).astype(np.float32), bucket(choices.lengths, edges), l2, shape)
    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    shared, own = loss.split(found.x)
    return Blend(((shared + own) / spread).astype(np.float32), edges), float(found.fun) - loss.ridge(shared, own)


def _telling(choices: Choices) -> Choices:
    """Only the users with a candidate that was taken."""
    lengths = np.diff(choices.offsets)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    kept = np.bincount(rows[choices.taken], minlength=len(lengths)) > 0
    pairs = kept[rows]
    return Choices(
        offsets=np.concatenate([[0], np.cumsum(lengths[kept])]).astype(np.int64),
        scores=choices.scores[pairs],
        taken=choices.taken[pairs],
        lengths=choices.lengths[kept],
    )


class _Loss:
    """Mean over users of log sum exp of all candidates - mean of the taken ones, with ridge; and its gradient."""

    def __init__(
        self, choices: Choices, scores: F32, buckets: NDArray[np.int64], l2: float, shape: tuple[int, int]
    ) -> None:
        self.scores, self.buckets, self.l2, self.shape = scores, buckets, l2, shape
        self.starts = choices.offsets[:-1]
        self.rows = np.repeat(np.arange(len(self.starts)), np.diff(choices.offsets))
        count = np.bincount(self.rows[choices.taken], minlength=len(self.starts))
        self.wanted = (choices.taken / np.maximum(count, 1)[self.rows]).astype(np.float32)
        self.bucket_of_pair = buckets[self.rows]

    def split(self, flat: F64) -> tuple[F64, F64]:
        """What all lengths share [parts], and what each adds [lengths + 1, parts]."""
        table = flat.reshape(self.shape)
        return table[0], table[1:]

    def __call__(self, flat: F64) -> tuple[float, F64]:
        shared, own = self.split(flat)
        logits = np.zeros(len(self.rows))
        for b, weights in enumerate(shared + own):
            at = self.bucket_of_pair == b
            logits[at] = self.scores[at] @ weights.astype(np.float32)
        most = np.maximum.reduceat(logits, self.starts)
        likely = np.exp(logits - most[self.rows])
        total = np.add.reduceat(likely, self.starts)
        n = len(self.starts)
        loss = float((np.log(total) + most).sum() - self.wanted @ logits) / n
        error = ((likely / total[self.rows] - self.wanted) / n).astype(np.float32)
        slope = np.stack([self.scores.T @ np.where(self.bucket_of_pair == b, error, 0) for b in range(len(own))])
        gradient = np.concatenate([(slope.sum(0) + 2 * self.l2 * SHARED * shared)[None], slope + 2 * self.l2 * own])
        return loss + self.ridge(shared, own), gradient.ravel()

    def ridge(self, shared: F64, own: F64) -> float:
        """What great weights cost."""
        return float(self.l2 * (SHARED * (shared**2).sum() + (own**2).sum()))
