"""Ratings rather than choices: what such a model takes and returns, and the baseline of biases that all others add to."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recloop.errors import BadData

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
ROUNDS = 10


@dataclass(frozen=True)
class Ratings:
    """n ratings by row numbers of users and items; times in seconds since the epoch."""

    users: I64  # [n]
    items: I64  # [n]
    values: F64  # [n]
    times: I64  # [n]

    def __post_init__(self) -> None:
        if not len(self.values):
            raise BadData("There is no rating to learn from: bring events with a rating.")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> "Ratings":
        """Some of them."""
        return Ratings(self.users[rows], self.items[rows], self.values[rows], self.times[rows])


@dataclass(frozen=True)
class Sides:
    """What is known of users and items without a rating: one row each, no columns where nothing is."""

    users: F32  # [n_users, a] age, occupation, ...
    items: F32  # [n_items, b] genres, year, ...

    @property
    def shape(self) -> tuple[int, int]:
        """Users and items there are."""
        return len(self.users), len(self.items)


class RatingModel(Protocol):
    """One interface for every model of ratings."""

    def predict(self, users: I64, items: I64, times: I64) -> F64:
        """The ratings expected. [n]"""


@dataclass(frozen=True)
class Biases:
    """Mean and shrunk deviations of users and items, by alternation (Koren 2010, section 2.1)."""

    mean: float
    users: F64  # [n_users]
    items: F64  # [n_items]

    def predict(self, users: I64, items: I64, times: I64) -> F64:
        """Mean plus both deviations. [n]"""
        return self.mean + self.users[users] + self.items[items]

    @classmethod
    def fit(
        cls, ratings: Ratings, shape: tuple[int, int], *, user_shrink: float = 5.0, item_shrink: float = 3.0
    ) -> "Biases":
        """Ratings of (users, items) as many as `shape` says -> Biases; a shrink is that many ratings at the mean."""
        mean = float(ratings.values.mean())
        own, other = np.zeros(shape[0]), np.zeros(shape[1])
        n_own, n_other = np.bincount(ratings.users, minlength=shape[0]), np.bincount(ratings.items, minlength=shape[1])
        for _ in range(ROUNDS):
            left = ratings.values - mean - own[ratings.users]
            other = np.bincount(ratings.items, left, shape[1]) / (item_shrink + n_other)
            left = ratings.values - mean - other[ratings.items]
            own = np.bincount(ratings.users, left, shape[0]) / (user_shrink + n_own)
        return cls(mean, own, other)
