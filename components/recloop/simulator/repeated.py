"""One experiment many times over: how often its statistics are wrong, and how often they find what was planted."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from recloop.evaluation.experiments.always_valid import interval
from recloop.evaluation.experiments.moments import Effect, Moments, lift
from recloop.evaluation.experiments.sample_ratio import TRUST, sequential

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
AT_ONCE = 4_000_000
"""users drawn at once"""


@dataclass(frozen=True)
class Share:
    """How many of the runs, and the 95 % interval of their share (Wilson 1927)."""

    n: int
    runs: int
    share: float
    low: float
    high: float


def share(hit: Bools) -> Share:
    """One flag a run -> Share. [runs]"""
    n, runs = int(hit.sum()), len(hit)
    found = binomtest(n, runs).proportion_ci(method="wilson")
    return Share(n, runs, n / runs, float(found.low), float(found.high))


def lifts(spent: F64, *, runs: int, looks: int, block: int, more: float, seed: int) -> Iterator[tuple[F64, F64]]:
    """What users spend -> value and variance of the lift at each look, some runs at a time. [users] -> [some, looks] twice

    Each arm gets `block` users, drawn with replacement, between two looks; those of the treatment spend `more`, relative.
    """
    rng = np.random.default_rng(seed)
    some = max(1, AT_ONCE // (looks * block))
    for start in range(0, runs, some):
        shape = (min(some, runs - start), looks, block)
        treated, control = (_moments(spent[rng.integers(0, len(spent), shape)] * gain) for gain in (1 + more, 1.0))
        effect = lift(treated, control)
        yield np.asarray(effect.value), np.asarray(effect.variance)


def _moments(blocks: F64) -> Moments:
    """Of all users up to each look. [runs, looks, block] -> [runs, looks]"""
    n = blocks.shape[2] * np.arange(1, blocks.shape[1] + 1)
    first, second = (np.cumsum((blocks**power).sum(axis=2), axis=1) for power in (1, 2))
    mean = first / n
    return Moments(n, mean, (second / n - mean**2) * n / (n - 1))


def verdicts(
    spent: F64, *, runs: int, looks: int, block: int, more: float, tau: float, seed: int
) -> tuple[Bools, Bools, Bools]:
    """Whether each run, watched at every look, ever said better, ever said worse; and whether a z test would have said any.

    tau: the effect that was planned for. [runs] each
    """
    parts = []
    for value, variance in lifts(spent, runs=runs, looks=looks, block=block, more=more, seed=seed):
        low, high = interval(Effect(value, variance), tau=tau)
        z = np.abs(value) / np.sqrt(variance) > 1.96
        parts.append([(low > 0).any(axis=1), (high < 0).any(axis=1), z.any(axis=1)])
    better, worse, naive = np.concatenate(parts, axis=1)
    return better, worse, naive


def suspected(*, runs: int, looks: int, block: int, share: float, planned: float, seed: int) -> Bools:
    """Whether each run's split, watched at every look, was ever taken for broken. [runs]

    share: what the treatment gets of all users; planned: what it was to get; block: users between two looks.
    """
    rng = np.random.default_rng(seed)
    treated = np.cumsum(rng.binomial(block, share, (runs, looks)), axis=1)
    every = block * np.arange(1, looks + 1)
    counts = np.stack([treated, every - treated], axis=-1).astype(np.float64)
    return np.asarray((sequential(counts, np.array([planned, 1 - planned])) < TRUST).any(axis=1))
