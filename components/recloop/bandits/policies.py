"""Policies that explore, and the probability of everything that they show.

A slate is chosen from the top: at each place the policy gives every item not yet shown a probability, and one is drawn.
The propensity of a place is that probability, given the items above it; the product over the places is that of the
slate. For `Boltzmann` this is the Plackett-Luce model. Nothing here needs the log's order or the moment: a slate's
propensities under any policy are found again from the same scores.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.errors import BadConfig

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Slate:
    """What is shown in n rows; a row with fewer than k candidates ends in place -1 and propensity 1."""

    places: I64  # [n, k] place of each shown candidate in its row
    propensities: F64  # [n, k] probability of each, given those above


class Policy(ABC):
    """Scores of candidates -> slates with propensities. Scores are [n, c], or [samples, n, c] of a posterior; -inf: none."""

    @abstractmethod
    def next(self, scores: F64, left: Mask) -> F64:
        """Probability of each candidate still left to be shown next; rows with any left sum to 1. [n, c]

        scores: [samples, n, c]; left: [n, c].
        """

    def choose(self, scores: NDArray[np.floating], k: int, rng: np.random.Generator) -> Slate:
        """Draw a slate of k for each row."""
        samples, left = _prepared(scores)
        return _filled(self, samples, left, k, lambda p, _: _drawn(p, rng))

    def propensities(self, scores: NDArray[np.floating], places: I64) -> F64:
        """Probability of each place of slates that were shown, given those above. [n, k]"""
        samples, left = _prepared(scores)
        return _filled(self, samples, left, places.shape[1], lambda _, j: places[:, j]).propensities

    def marginals(self, scores: NDArray[np.floating], k: int, rng: np.random.Generator, *, times: int) -> F64:
        """Probability of each candidate at each place, whatever is above: mean over `times` drawn slates. [n, c, k]

        The probability given what was drawn above is averaged, not the draw itself (Rao-Blackwell): the first place is exact.
        """
        samples, start = _prepared(scores)
        total = np.zeros((*start.shape, k))
        for _ in range(times):
            left = start.copy()
            for j in range(min(k, start.shape[1])):
                p = self.next(samples, left)
                total[:, :, j] += p
                _strike(left, _drawn(p, rng))
        return total / times


@dataclass(frozen=True)
class Best(Policy):
    """The best one left, in a posterior sample drawn anew for each place; with a share of uniform exploring.

    One sample and no exploring is the plain top k; one sample and some is epsilon-greedy; many are Thompson sampling
    (Thompson 1933), whose propensity is the share of the samples in which an item is the best one left. That share is
    exact given the samples: what is shown is drawn from them. Without exploring, what wins in no sample has
    probability 0: leave some where the log shall be judged later.
    """

    explore: float = 0.0

    def next(self, scores: F64, left: Mask) -> F64:
        """Share of the samples in which each is the best one left, mixed with uniform."""
        at = np.where(left, scores, -np.inf).argmax(axis=2)  # [samples, n]
        wins = np.zeros(left.shape)
        np.add.at(wins, (np.broadcast_to(np.arange(len(left)), at.shape), at), 1 / len(scores))
        return _open(left) * ((1 - self.explore) * wins + self.explore * _uniform(left))


@dataclass(frozen=True)
class Boltzmann(Policy):
    """Softmax of the mean score over what is left: Plackett-Luce (Plackett 1975)."""

    temperature: float = 1.0

    def next(self, scores: F64, left: Mask) -> F64:
        """Softmax over what is left."""
        own = np.where(left, scores.mean(axis=0) if len(scores) > 1 else scores[0], -np.inf) / self.temperature
        own = np.where(_open(left), own, 0.0)
        weight = np.exp(own - own.max(axis=1, keepdims=True)) * left
        found: F64 = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
        return found


@dataclass(frozen=True)
class Uniform(Policy):
    """Every candidate alike."""

    def next(self, scores: F64, left: Mask) -> F64:
        """One over the number left."""
        return _uniform(left)


KINDS: dict[str, tuple[Callable[[float], Policy], float]] = {
    "top_k": (lambda _: Best(), 0.0),
    "epsilon_greedy": (Best, 0.1),
    "thompson": (Best, 0.02),
    "softmax": (Boltzmann, 1.0),
    "uniform": (lambda _: Uniform(), 0.0),
}
"""name -> what makes it from its number, and the number where none is given"""


def policy(text: str) -> Policy:
    """`epsilon_greedy=0.1` -> the policy. Raises BadConfig naming what there is."""
    name, _, number = text.partition("=")
    if name not in KINDS:
        raise BadConfig(
            f"There is no policy {name!r}; there are {', '.join(KINDS)}, each with =NUMBER where it has one."
        )
    made, usual = KINDS[name]
    try:
        value = float(number) if number else usual
    except ValueError:
        raise BadConfig(f"{number!r} in the policy {text!r} is no number; write {name}={usual}.") from None
    if name == "softmax" and not value > 0:
        raise BadConfig(f"The temperature of softmax is {value}; it must be above 0.")
    if name in {"epsilon_greedy", "thompson"} and not 0 <= value <= 1:
        raise BadConfig(f"The share of exploring of {name} is {value}; it must be in 0..1.")
    return made(value)


def _prepared(scores: NDArray[np.floating]) -> tuple[F64, Mask]:
    """Scores -> [samples, n, c] and what may be shown. [n, c]"""
    samples = np.asarray(scores, dtype=np.float64)
    samples = samples[None] if samples.ndim == 2 else samples
    return samples, np.asarray((samples > -np.inf).all(axis=0), dtype=bool)


def _filled(policy: Policy, samples: F64, left: Mask, k: int, pick: Callable[[F64, int], I64]) -> Slate:
    """Go down the places; `pick` says what is shown, from its probabilities and the place."""
    rows = np.arange(len(left))
    left = left.copy()
    places = np.full((len(left), k), -1, dtype=np.int64)
    found = np.ones((len(left), k))
    for j in range(min(k, left.shape[1])):
        p = policy.next(samples, left)
        at = pick(p, j)
        shown = at >= 0
        places[shown, j] = at[shown]
        found[shown, j] = (p[rows, at] * left[rows, at])[shown]
        _strike(left, at)
    return Slate(places, found)


def _drawn(p: F64, rng: np.random.Generator) -> I64:
    """One place a row by its probabilities; -1 where none is left. [n]"""
    bound = p.cumsum(axis=1)
    total = bound[:, -1]
    at = (bound <= (rng.random(len(p)) * total)[:, None]).sum(axis=1)
    return np.where(total > 0, at, -1)


def _strike(left: Mask, at: I64) -> None:
    rows = np.flatnonzero(at >= 0)
    left[rows, at[rows]] = False


def _open(left: Mask) -> Mask:
    return np.asarray(left.any(axis=1, keepdims=True), dtype=bool)


def _uniform(left: Mask) -> F64:
    found: F64 = left / np.maximum(left.sum(axis=1, keepdims=True), 1)
    return found
