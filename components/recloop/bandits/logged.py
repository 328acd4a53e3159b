"""A log of single places, each with the probability of its item there: the Open Bandit data, or any like it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.bandits.estimators import Rounds, terms
from recloop.bandits.rates import crossed, folds_of
from recloop.errors import BadData
from recloop.evaluation.intervals import draws

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Logged:
    """Rows of bandit feedback."""

    items: I64  # [n]
    positions: I64  # [n] from 0
    rewards: F64  # [n]
    propensities: F64  # [n] of the item at its position under the logging policy
    clusters: I64  # [n]
    n_items: int
    n_positions: int

    def __post_init__(self) -> None:
        """Raises BadData where a propensity is not in (0, 1]."""
        bad = np.count_nonzero(~((self.propensities > 0) & (self.propensities <= 1)))
        if bad:
            raise BadData(
                f"{bad:,} of {len(self.propensities):,} propensities are not in (0, 1]: what was shown had a chance."
            )

    def __len__(self) -> int:
        """Rows."""
        return len(self.items)


def open_bandit(folder: Path, *, behaviour: str, campaign: str) -> Logged:
    """Read one log of the Open Bandit data (Saito et al. 2021); each impression is its own cluster: users have no id."""
    place = folder / behaviour / campaign
    path = next((p for p in (place / f"{campaign}.csv", place / f"{campaign}.csv.gz") if p.exists()), None)
    if path is None:
        raise BadData(
            f"{place} has no {campaign}.csv: give the folder that holds bts/ and random/ of the Open Bandit data."
        )
    table = pl.read_csv(path, columns=["item_id", "position", "click", "propensity_score"])
    return Logged(
        items=table["item_id"].to_numpy().astype(np.int64),
        positions=table["position"].to_numpy().astype(np.int64) - 1,
        rewards=table["click"].to_numpy().astype(np.float64),
        propensities=table["propensity_score"].to_numpy().astype(np.float64),
        clusters=np.arange(table.height, dtype=np.int64),
        n_items=pl.read_csv(place / "item_context.csv", columns=["item_id"]).height,
        n_positions=3,
    )


def rounds(log: Logged, target: F64, *, folds: int = 3, seed: int = 0, counts: F64 | None = None) -> Rounds:
    """A log and what the judged policy shows -> what the estimators see; the reward model is `rates`, cross-fitted.

    target: probability of each item at each position, [n_items, n_positions]. counts: as of a resample, for the model.
    """
    if target.shape != (log.n_items, log.n_positions):
        raise BadData(
            f"The judged policy is {target.shape}, the log has {log.n_items} items at {log.n_positions} positions."
        )
    fold = folds_of(log.clusters, n=folds, seed=seed)
    sizes = {"n_items": log.n_items, "n_positions": log.n_positions}
    tables = crossed(log.items, log.positions, log.rewards, fold, counts=counts, **sizes)
    expected = (tables * target).sum(axis=1)[fold, log.positions]
    weights = target[log.items, log.positions] / log.propensities
    return Rounds(log.rewards, weights, tables[fold, log.items, log.positions], expected, expected, log.clusters)


def refitted(
    log: Logged,
    target: F64,
    names: Sequence[str],
    *,
    times: int,
    seed: int,
    folds: int = 3,
    resamples: Iterable[F64] | None = None,
) -> F64:
    """Estimates in resamples of the clusters, the reward model fitted anew in each. [times, names]

    The interval of DM is wrong without: its only noise is that of the model. resamples: how often each cluster is taken,
    in place of those drawn by `times` and `seed`.
    """
    own, place = np.unique(log.clusters, return_inverse=True)
    drawn = (one for part in draws(len(own), times=times, seed=seed) for one in part)
    found = []
    for counts in drawn if resamples is None else resamples:
        rows = counts[place]
        seen = taken(rounds(log, target, folds=folds, seed=seed, counts=rows), rows)
        found.append([terms(name, seen).value for name in names])
    return np.array(found)


def taken(seen: Rounds, counts: F64) -> Rounds:
    """Rows as often as they were drawn."""
    at = np.repeat(np.arange(len(seen)), counts.astype(np.int64))
    return Rounds(
        seen.rewards[at], seen.weights[at], seen.modelled[at], seen.expected[at], seen.direct[at], seen.clusters[at]
    )


def thompson_target(alpha: F64, beta: F64, *, places: int, times: int, seed: int) -> F64:
    """Beta posteriors of arms -> chance of each arm at each place of a Thompson slate, by Monte Carlo. [arms, places]"""
    rng = np.random.default_rng(seed)
    total = np.zeros((len(alpha), places))
    for start in range(0, times, 10_000):
        drawn = rng.beta(alpha, beta, size=(min(10_000, times - start), len(alpha)))
        top = np.argpartition(-drawn, places - 1, axis=1)[:, :places]
        order = np.take_along_axis(top, np.argsort(-np.take_along_axis(drawn, top, axis=1), axis=1), axis=1)
        for place in range(places):
            total[:, place] += np.bincount(order[:, place], minlength=len(alpha))
    return total / times
