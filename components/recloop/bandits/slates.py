"""Logged answers with all their candidates -> what the estimators see, for any policy over the logged scores."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.bandits.estimators import Rounds
from recloop.bandits.policies import Policy
from recloop.bandits.rates import crossed, folds_of
from recloop.columns import Columns
from recloop.errors import BadData

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
T = TypeVar("T", bound=np.generic)
REWARD = "reward"
CELLS = 2**22
"""candidates times places read at once"""
NEEDED = (Columns.Receipt, Columns.Item, Columns.Score, Columns.Rank, Columns.Propensity, REWARD)


@dataclass(frozen=True)
class Slates:
    """n answers with at most c candidates, of which at most k were shown."""

    scores: F64  # [n, c] -inf pads
    items: I64  # [n, c] codes; 0 pads
    places: I64  # [n, k] place of what was shown, -1 below the end
    propensities: F64  # [n, k] given what is above; 1 below the end
    rewards: F64  # [n, k] 0 below the end
    clusters: I64  # [n] user, or the answer itself
    names: tuple[str, ...]
    """item ids by code - 1"""

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Where something was shown. [n, k]"""
        return self.places >= 0


def slates(log: pl.DataFrame) -> Slates:
    """One row a candidate of an answer -> Slates. Raises BadData.

    Columns: receipt_id, item_id, score, rank (1 is the first; null: not shown), propensity (of what was shown, given what
    was above it), reward (of what was shown); user_id too where users come more than once.
    """
    missing = [name for name in NEEDED if name not in log.columns]
    if missing:
        raise BadData(f"The log lacks {', '.join(missing)}; it needs {', '.join(NEEDED)}, a row for every candidate.")
    table = log.sort(Columns.Receipt, Columns.Item).with_columns(
        (pl.col(Columns.Receipt).rle_id().cast(pl.Int64)).alias("row"),
        pl.int_range(pl.len()).over(Columns.Receipt).alias("place"),
        pl.col(Columns.Item).cast(pl.String).rank("dense").cast(pl.Int64).alias("code"),
    )
    _judge(table)
    n, c = int(table["row"].max() or 0) + 1, int(table["place"].max() or 0) + 1  # type: ignore[arg-type]
    shown = table.filter(pl.col(Columns.Rank).is_not_null())
    k = int(shown[Columns.Rank].max())  # type: ignore[arg-type]
    at, to = (
        (table["row"].to_numpy(), table["place"].to_numpy()),
        (shown["row"].to_numpy(), shown[Columns.Rank].to_numpy() - 1),
    )
    user = Columns.User if Columns.User in table.columns else Columns.Receipt
    first = table.group_by("row").agg(pl.col(user).first()).sort("row")
    return Slates(
        scores=_placed(np.full((n, c), -np.inf), at, table[Columns.Score].to_numpy()),
        items=_placed(np.zeros((n, c), np.int64), at, table["code"].to_numpy()),
        places=_placed(np.full((n, k), -1, np.int64), to, shown["place"].to_numpy()),
        propensities=_placed(np.ones((n, k)), to, shown[Columns.Propensity].to_numpy()),
        rewards=_placed(np.zeros((n, k)), to, shown[REWARD].fill_null(0).to_numpy()),
        clusters=first[user].rank("dense").to_numpy().astype(np.int64),
        names=tuple(table[Columns.Item].cast(pl.String).unique().sort()),
    )


def rounds(log: Slates, policy: Policy, *, seed: int = 0, times: int = 16, folds: int = 3) -> Rounds:
    """A policy over the logged scores -> what the estimators see, a row for each place shown.

    A place's weight is the product of the ratios down to it (McInerney et al. 2020, reward interaction): exact where a
    click depends on nothing below. expected and direct take `rates`, cross-fitted by user; direct by `times` drawn slates.
    """
    shown = log.shown
    rows, positions = np.nonzero(shown)
    items = np.take_along_axis(log.items, np.maximum(log.places, 0), axis=1)[shown]
    fold = folds_of(log.clusters, n=folds, seed=seed)
    sizes = {"n_items": len(log.names) + 1, "n_positions": shown.shape[1]}
    tables = crossed(items, positions, log.rewards[shown], fold[rows], **sizes)
    step = max(1, CELLS // (log.scores.shape[1] * shown.shape[1]))
    blocks = [slice(start, start + step) for start in range(0, len(shown), step)]
    ratios = [policy.propensities(log.scores[at], log.places[at]) / log.propensities[at] for at in blocks]
    weights = np.concatenate(ratios).cumprod(axis=1)
    above = np.concatenate([np.ones((len(weights), 1)), weights[:, :-1]], axis=1)
    below = np.concatenate([_given_above(log, at, policy, tables[fold[at]]) for at in blocks])
    direct = np.concatenate([_direct(log, at, policy, tables[fold[at]], seed, times) for at in blocks])
    return Rounds(
        rewards=log.rewards[shown],
        weights=weights[shown],
        modelled=tables[fold[rows], items, positions],
        expected=(above * below)[shown],
        direct=direct[shown],
        clusters=log.clusters[rows],
    )


def _given_above(log: Slates, at: slice, policy: Policy, table: F64) -> F64:
    """Mean of the model over what the policy shows at each place below the logged items. [block, k]"""
    scores, items, places = log.scores[at], log.items[at], log.places[at]
    left = np.isfinite(scores)
    rows = np.arange(len(left))
    found = np.zeros(places.shape)
    for j, place in enumerate(places.T):
        found[:, j] = (policy.next(scores[None], left) * table[rows[:, None], items, j]).sum(axis=1)
        there = place >= 0
        left[rows[there], place[there]] = False
    return found


def _direct(log: Slates, at: slice, policy: Policy, table: F64, seed: int, times: int) -> F64:
    """Mean of the model over what the policy shows at each place. [block, k]"""
    rng = np.random.default_rng([seed, times, at.start])
    chance = policy.marginals(log.scores[at], log.places.shape[1], rng, times=times)
    rows = np.arange(len(chance))[:, None]
    return np.asarray((chance * table[rows, log.items[at]]).sum(axis=1), dtype=np.float64)


def _judge(table: pl.DataFrame) -> None:
    shown = table.filter(pl.col(Columns.Rank).is_not_null())
    if shown.is_empty():
        raise BadData(f"None of the log's {table.height:,} rows has a {Columns.Rank}: nothing was shown.")
    bad = shown.filter(~pl.col(Columns.Propensity).is_between(0, 1, closed="right").fill_null(False)).height
    if bad:
        raise BadData(f"{bad:,} of {shown.height:,} shown rows have no {Columns.Propensity} in (0, 1].")
    low = shown.filter(pl.col(Columns.Rank) < 1).height
    if low:
        raise BadData(f"{low:,} of {shown.height:,} shown rows have a {Columns.Rank} below 1: the first is 1.")
    twice = shown.filter(pl.struct(Columns.Receipt, Columns.Rank).is_duplicated()).height
    if twice:
        raise BadData(f"{twice:,} shown rows share their {Columns.Receipt} and {Columns.Rank} with another.")
    again = table.filter(pl.struct(Columns.Receipt, Columns.Item).is_duplicated()).height
    if again:
        raise BadData(f"{again:,} rows name an item that their {Columns.Receipt} has twice.")
    vague = table.filter(~pl.col(Columns.Score).cast(pl.Float64, strict=False).is_finite().fill_null(False)).height
    if vague:
        raise BadData(f"{vague:,} of {table.height:,} candidates have no finite {Columns.Score}.")


def _placed(array: NDArray[T], at: tuple[I64, I64], values: NDArray[np.generic]) -> NDArray[T]:
    array[at] = values
    return array
