"""A log and a policy -> what the policy would have earned, by every estimator, with the log's own mean beside it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recloop.bandits.confidence import Interval, intervals
from recloop.bandits.estimators import NAMES, Rounds, Terms, effective_rows, terms
from recloop.bandits.policies import policy as named
from recloop.bandits.slates import rounds, slates


@dataclass(frozen=True)
class Verdict:
    """Rewards a place shown, and how far the log can carry them."""

    policy: str
    rows: int
    answers: int
    clusters: int
    logged: Interval
    estimates: dict[str, Interval]
    effective_rows: float
    """rows of the judged policy's own log that the weighted rows are worth"""
    largest_weight: float
    mean_weight: float
    """1 but for chance; well below it where the judged policy shows what the log never could"""


def judge(
    log: pl.DataFrame, policy: str, *, kind: str = "bootstrap", confidence: float = 0.95, seed: int = 0
) -> Verdict:
    """Logged candidates (see `slates`) and a policy's name -> its verdict. Raises BadData, BadConfig."""
    own = named(policy)
    table = slates(log)
    seen = rounds(table, own, seed=seed)
    every = [_plain(seen), *(terms(name, seen) for name in NAMES)]
    found = intervals(every, seen.clusters, kind=kind, confidence=confidence, seed=seed)
    return Verdict(
        policy=policy,
        rows=len(seen),
        answers=len(table.scores),
        clusters=len(np.unique(seen.clusters)),
        logged=found[0],
        estimates=dict(zip(NAMES, found[1:], strict=True)),
        effective_rows=effective_rows(seen.weights),
        largest_weight=float(seen.weights.max()),
        mean_weight=float(seen.weights.mean()),
    )


def _plain(seen: Rounds) -> Terms:
    """The mean of the log itself."""
    return Terms(np.zeros(len(seen)), seen.rewards, np.ones(len(seen)))
