"""A log and a policy -> what the policy would have earned, by every estimator, with the log's own mean beside it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recloop.bandits.confidence import Interval, intervals
from recloop.bandits.estimators import NAMES, Rounds, Terms, effective_rows, terms
from recloop.bandits.policies import policy as named
from recloop.bandits.slates import rounds, slates
from recloop.errors import BadData

LEAST_ROWS = 50
"""effective rows below which no interval can be believed"""
LEAST_WEIGHT = 0.9
"""mean weight that the log must reach, within three standard errors: what is missing was never shown"""


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
    log: pl.DataFrame,
    policy: str,
    *,
    kind: str = "bootstrap",
    confidence: float = 0.95,
    seed: int = 0,
    anyway: bool = False,
) -> Verdict:
    """Logged candidates (see `slates`) and a policy's name -> its verdict.

    Raises BadData, BadConfig; BadData too where the log does not carry the policy, unless its figures are wanted `anyway`.
    """
    own = named(policy)
    table = slates(log)
    seen = rounds(table, own, seed=seed)
    reason = "" if anyway else unsupported(seen)
    if reason:
        raise BadData(f"The log does not carry the policy {policy}: {reason}")
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


def unsupported(seen: Rounds) -> str:
    """Why no estimate from this log can be believed; empty where nothing speaks against it.

    Without support the weights' mean stays below 1 (Sachdeva et al. 2020, "Off-policy bandits with deficient support");
    with too little of it a few rows decide everything (Kish 1965).
    """
    rows, n = effective_rows(seen.weights), len(seen)
    if rows < LEAST_ROWS:
        return (
            f"its {n:,} places are worth {rows:,.0f} of the policy's own, at least {LEAST_ROWS} are needed. Log more, or with "
            "more exploring, or judge a policy that is closer to the one that logged."
        )
    mean, error = float(seen.weights.mean()), _error(seen)
    if mean + 3 * error < LEAST_WEIGHT:
        return (
            f"about {1 - mean:.0%} of what it would show had no chance of being shown (mean weight {mean:.3f}, 1 but for "
            "chance). Explore more when logging, or judge a policy that keeps to what was explored."
        )
    return ""


def _error(seen: Rounds) -> float:
    """Standard error of the mean weight; rows of a cluster go together."""
    _, place = np.unique(seen.clusters, return_inverse=True)
    sums = np.bincount(place, weights=seen.weights - seen.weights.mean())
    return float(np.sqrt((sums**2).sum())) / len(seen)


def _plain(seen: Rounds) -> Terms:
    """The mean of the log itself."""
    return Terms(np.zeros(len(seen)), seen.rewards, np.ones(len(seen)))
