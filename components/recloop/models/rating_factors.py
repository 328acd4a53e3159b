"""Bayesian matrix factorisation of ratings with biases, by Gibbs sampling (Salakhutdinov and Mnih 2008).

Nothing is tuned: the priors of factors and the noise are drawn with them. Each side's first column is its bias, which
meets a column of ones on the other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recloop.models.rating import F64, I64, Biases, Ratings

BELIEF = 2.0
"""rows that the prior of a factor's mean is worth"""
PAIRS = 1 << 14
"""predictions whose draws are held at once"""


@dataclass(frozen=True)
class Factors:
    """Draws of the posterior: users [draws, n_users, 1 + dim], items [draws, n_items, 1 + dim], biases first."""

    mean: float
    users: NDArray[np.float32]
    items: NDArray[np.float32]

    def predict(self, users: I64, items: I64, times: I64) -> F64:
        """Mean over the draws. [n]"""
        return self.spread(users, items)[0]

    def spread(self, users: I64, items: I64) -> tuple[F64, F64]:
        """Mean and deviation of the predictions over the draws. [n] each"""
        parts = [self._draws(users[at : at + PAIRS], items[at : at + PAIRS]) for at in range(0, len(users), PAIRS)]
        every = np.concatenate([np.zeros((len(self.users), 0)), *parts], axis=1)
        return self.mean + every.mean(axis=0), every.std(axis=0)

    def _draws(self, users: I64, items: I64) -> NDArray[np.float32]:
        found = np.empty((len(self.users), len(users)), dtype=np.float32)
        for row, own, other in zip(found, self.users, self.items, strict=True):
            a, b = own[users], other[items]
            row[:] = np.einsum("nd,nd->n", a[:, 1:], b[:, 1:]) + a[:, 0] + b[:, 0]
        return found


def fit_factors(
    ratings: Ratings, shape: tuple[int, int], *, dim: int, rounds: int, burn: int, seed: int, every: int = 1
) -> Factors:
    """Ratings -> the draws of every `every`-th of the rounds after the first `burn`."""
    rng = np.random.default_rng(seed)
    start = Biases.fit(ratings, shape)
    values = ratings.values - start.mean
    own = np.column_stack([start.users, rng.normal(0, 0.1, (shape[0], dim))])
    other = np.column_stack([start.items, rng.normal(0, 0.1, (shape[1], dim))])
    at = (ratings.users, ratings.items)
    rated = sparse.csr_matrix((np.ones(len(ratings)), at), shape)
    valued = sparse.csr_matrix((values, at), shape)
    sides = (rated, valued), (rated.T.tocsr(), valued.T.tocsr())
    alpha = 1.0
    kept: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    for n in range(rounds):
        own = _drawn(own, other, *sides[0], alpha, rng)
        other = _drawn(other, own, *sides[1], alpha, rng)
        missed = values - _dots(own, other, ratings)
        alpha = rng.gamma(1 + len(values) / 2, 1 / (1 + np.square(missed).sum() / 2))
        if n >= burn and (n - burn) % every == 0:
            kept.append((own.astype(np.float32), other.astype(np.float32)))
    users, items = (np.stack(side) for side in zip(*kept, strict=True))
    return Factors(start.mean, users, items)


def _dots(own: F64, other: F64, ratings: Ratings) -> F64:
    a, b = own[ratings.users], other[ratings.items]
    found: F64 = np.einsum("nd,nd->n", a[:, 1:], b[:, 1:]) + a[:, 0] + b[:, 0]
    return found


def _drawn(
    own: F64, other: F64, rated: sparse.csr_matrix, valued: sparse.csr_matrix, alpha: float, rng: np.random.Generator
) -> F64:
    """A draw of one side's rows given the other's, its prior drawn first. [rows, 1 + dim]"""
    precision, mean = _prior(own, rng)
    design = np.column_stack([np.ones(len(other)), other[:, 1:]])
    width = design.shape[1]
    upper = np.triu_indices(width)
    found = rated @ (design[:, upper[0]] * design[:, upper[1]])  # [rows, pairs of columns]
    gram = np.empty((len(own), width, width))
    gram[:, upper[0], upper[1]] = found
    gram[:, upper[1], upper[0]] = found
    target = valued @ design - rated @ (design * other[:, :1])
    root = np.linalg.cholesky(precision + alpha * gram)
    wanted = np.linalg.solve(root, (precision @ mean + alpha * target)[:, :, None])
    noisy = wanted + rng.normal(size=wanted.shape)
    return np.linalg.solve(root.swapaxes(1, 2), noisy)[:, :, 0]


def _prior(rows: F64, rng: np.random.Generator) -> tuple[F64, F64]:
    """A draw of the rows' precision and mean from their normal-Wishart posterior. [d, d], [d]"""
    n, width = rows.shape
    mean = rows.mean(axis=0)
    around = rows - mean
    scatter = np.eye(width) + around.T @ around + BELIEF * n / (BELIEF + n) * np.outer(mean, mean)
    root = np.linalg.cholesky(np.linalg.inv(scatter))
    lower = np.tril(rng.normal(size=(width, width)), -1)
    lower[np.diag_indices(width)] = np.sqrt(rng.chisquare(width + n - np.arange(width)))
    precision = root @ lower @ lower.T @ root.T
    noise = np.linalg.solve(np.linalg.cholesky((BELIEF + n) * precision).T, rng.normal(size=width))
    return precision, n * mean / (BELIEF + n) + noise
