"""How often the intervals of off-policy estimates hold the truth, over many logs of a world whose truth is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.bandits.confidence import intervals
from recloop.bandits.estimators import terms
from recloop.bandits.policies import Policy
from recloop.bandits.simulator import World
from recloop.bandits.slates import Slates, rounds
from recloop.bandits.verdict import unsupported

F64 = NDArray[np.float64]
TIMES = 20
"""draws of a policy for its chances of items at places"""


@dataclass(frozen=True)
class Held:
    """One estimator over the logs that carry the judged policy; the others are refused, as a user's log would be."""

    name: str
    truth: float
    """expected clicks a place"""
    refused: int
    """logs"""
    values: F64  # [logs]
    low: F64  # [logs]
    high: F64  # [logs]

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Whether the interval holds the truth. [logs]"""
        return np.asarray((self.low <= self.truth) & (self.truth <= self.high))


def held(
    world: World, logging: Policy, judged: Policy, *, names: Sequence[str], n_logs: int, n: int, times: int, seed: int
) -> list[Held]:
    """n_logs logs of n answers under `logging` -> what each estimator says of `judged`, with bootstrap intervals."""
    people = np.random.default_rng([seed, 1])
    every = [world.contexts(n, people) for _ in range(n_logs)]
    truth = float(np.mean([value(world, judged, contexts, seed=seed + at) for at, contexts in enumerate(every)]))
    logs = [rounds(log(world, logging, people, seed=seed + at), judged, seed=at) for at, people in enumerate(every)]
    carried = [one for one in logs if not unsupported(one)]
    found = np.zeros((len(carried), len(names), 3))
    for at, seen in enumerate(carried):
        own = intervals([terms(name, seen) for name in names], seen.clusters, times=times, seed=at)
        found[at] = [(one.value, one.low, one.high) for one in own]
    refused = n_logs - len(carried)
    return [Held(name, truth, refused, *np.moveaxis(found[:, n], 1, 0)) for n, name in enumerate(names)]


def log(world: World, logging: Policy, contexts: F64, *, seed: int) -> Slates:
    """Users -> what a policy showed them and what they clicked."""
    rng = np.random.default_rng([seed, 2])
    attraction = world.attraction(contexts)
    scores, n = fair_scores(attraction, contexts), len(contexts)
    slate = logging.choose(scores, world.k, rng)
    clicks = world.clicks(attraction, slate.places, rng)
    items = np.tile(np.arange(1, world.n_arms + 1), (n, 1))
    names = tuple(f"i{arm:02}" for arm in range(world.n_arms))
    return Slates(scores, items, slate.places, slate.propensities, clicks, np.arange(n), names)


def value(world: World, policy: Policy, contexts: F64, *, seed: int) -> float:
    """Expected clicks a place of a policy."""
    attraction = world.attraction(contexts)
    rng = np.random.default_rng([seed, 3])
    chance = policy.marginals(fair_scores(attraction, contexts), world.k, rng, times=TIMES)
    return float((chance * attraction[:, :, None] * world.examination).sum(axis=1).mean())


def fair_scores(attraction: F64, contexts: F64) -> F64:
    """What a fair ranker would say: the log-odds, with an error that hangs on the user. [n, n_arms]"""
    error: F64 = np.sin(3 * contexts[:, :1] + np.arange(attraction.shape[1]))
    return np.log(attraction / (1 - attraction)) + error
