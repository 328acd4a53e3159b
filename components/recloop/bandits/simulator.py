"""A world with known truth: users, items, clicks that fade with the position, and the regret of those who learn in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recloop.bandits.logged import Logged

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """Chance of a click = examination of the position * sigmoid of a network that no linear model of the features knows."""

    arms: F64  # [n_arms, d] features of the items
    first: F64  # [2 d, hidden]
    last: F64  # [hidden]
    level: float
    examination: F64  # [k] chance that a position is looked at; the first is 1

    @classmethod
    def drawn(cls, *, n_arms: int, d: int, k: int, seed: int, level: float = -2.0, fading: float = 1.0) -> "World":
        """Examination falls as 1 / position^fading (Joachims et al. 2017, section 5)."""
        rng = np.random.default_rng([seed, n_arms, d])
        hidden = 32
        first = rng.standard_normal((2 * d, hidden)) / np.sqrt(d)
        last = rng.standard_normal(hidden) * (4 / np.sqrt(hidden))
        examination = 1 / np.arange(1, k + 1) ** fading
        return cls(rng.standard_normal((n_arms, d)), first, last, level, examination)

    @property
    def n_arms(self) -> int:
        """Items."""
        return len(self.arms)

    @property
    def k(self) -> int:
        """Places of a slate."""
        return len(self.examination)

    def contexts(self, n: int, rng: np.random.Generator) -> F64:
        """Users who come by. [n, d]"""
        return rng.standard_normal((n, self.arms.shape[1]))

    def pairs(self, contexts: F64) -> F64:
        """What a learner sees of each user and item: both feature vectors. [n, n_arms, 2 d]"""
        n, d = contexts.shape
        shape = (n, self.n_arms, d)
        own = np.broadcast_to(contexts[:, None], shape)
        return np.concatenate([own, np.broadcast_to(self.arms[None], shape)], axis=2)

    def attraction(self, contexts: F64) -> F64:
        """Chance of a click on each item that is looked at. [n, n_arms]"""
        logits = np.tanh(self.pairs(contexts) @ self.first) @ self.last + self.level
        found: F64 = 1 / (1 + np.exp(-logits))
        return found

    def clicks(self, attraction: F64, places: I64, rng: np.random.Generator) -> F64:
        """One draw of clicks on slates. [n, k]"""
        chance = np.take_along_axis(attraction, places, axis=1) * self.examination
        return (rng.random(chance.shape) < chance).astype(np.float64)

    def regret(self, attraction: F64, places: I64) -> F64:
        """Expected clicks of the best slate less those of this one. [n]"""
        best = -np.sort(-attraction, axis=1)[:, : self.k] @ self.examination
        found: F64 = best - np.take_along_axis(attraction, places, axis=1) @ self.examination
        return found


class Learner(Protocol):
    """Sees users, shows slates, is told the clicks."""

    def show(self, pairs: F64, k: int, rng: np.random.Generator) -> I64:
        """[n, n_arms, 2 d] -> places of slates. [n, k]"""

    def learn(self, shown: F64, clicks: F64, examination: F64) -> None:
        """Features of what was shown [n, k, 2 d], the clicks [n, k] and the chance that each place was looked at [k]."""


def regret(world: World, learner: Learner, *, rounds: int, batch: int, seed: int) -> F64:
    """Regret of each batch of users, who come in the same order whoever learns. [rounds]"""
    found = np.zeros(rounds)
    for n in range(rounds):
        users, luck, own = (np.random.default_rng([seed, n, part]) for part in range(3))
        contexts = world.contexts(batch, users)
        attraction, pairs = world.attraction(contexts), world.pairs(contexts)
        places = learner.show(pairs, world.k, own)
        found[n] = world.regret(attraction, places).sum()
        clicks = world.clicks(attraction, places, luck)
        learner.learn(np.take_along_axis(pairs, places[:, :, None], axis=1), clicks, world.examination)
    return found


def logs(table: F64, behaviour: F64, *, n: int, seeds: Sequence[int]) -> list[Logged]:
    """Logs of a policy without contexts: rates of items [n_items] or at positions [n_items, p]; behaviour alike.

    Position and item are drawn independently, as rows of the Open Bandit data are.
    """
    rates_, shown = np.atleast_2d(table.T).T, np.atleast_2d(behaviour.T).T
    return [_log(rates_, shown, n, np.random.default_rng(seed)) for seed in seeds]


def _log(table: F64, behaviour: F64, n: int, rng: np.random.Generator) -> Logged:
    n_items, n_positions = table.shape
    positions = rng.integers(0, n_positions, n)
    bounds = behaviour.cumsum(axis=0).T  # [positions, items]
    items = (bounds[positions] <= (rng.random(n) * bounds[positions, -1])[:, None]).sum(axis=1)
    rewards = (rng.random(n) < table[items, positions]).astype(np.float64)
    chance = behaviour[items, positions]
    return Logged(items, positions, rewards, chance, np.arange(n), n_items, n_positions)


def truth(table: F64, target: F64) -> float:
    """Mean reward a row of a policy without contexts, positions alike often. [n_items, p] both"""
    return float((np.atleast_2d(table.T).T * np.atleast_2d(target.T).T).sum(axis=0).mean())
