"""Candidates of the two-stage model -> slates that explore, with the propensity of all that is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.bandits.neural_linear import NeuralLinear
from recloop.bandits.policies import Policy
from recloop.bandits.representation import Representation
from recloop.columns import Columns
from recloop.data.histories import Histories
from recloop.models.candidates import Candidates
from recloop.models.ranked import Ranked, permitted
from recloop.models.two_stage import TwoStage

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Explored:
    """What is shown, and how likely each place was given the items above it."""

    ranked: Ranked
    propensities: F64  # [n, k] 1 where the row has ended
    items: NDArray[np.int64]  # [n, c] the pool that it was drawn from; 0 pads
    scores: F64  # [n, c] what the policy went by, the mean of its samples; -inf pads


class Explorer(Protocol):
    """What is asked in place of taking the top k."""

    @property
    def policy(self) -> Policy:
        """How places are drawn."""

    @property
    def pool(self) -> int:
        """The best candidates of a row that may be shown."""

    def choose(
        self, found: Candidates, scores: F32, features: F32, n: int, k: int, rng: np.random.Generator
    ) -> Explored:
        """Scored candidates of n rows -> slates of k. scores [pairs]; features as the ranker sees them. [pairs, n_features]"""


@dataclass(frozen=True)
class Exploring:
    """A two-stage model that explores; the journal keeps what it gives, and `slates` reads it again."""

    model: TwoStage
    explorer: Explorer

    def choose(
        self,
        histories: Histories,
        *,
        k: int,
        rng: np.random.Generator,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Explored:
        """As `TwoStage.recommend`, with propensities. Rows without a history explore over recent popularity, as it ranks them."""
        mask = permitted(self.model.n_codes, allowed, exclude)
        found, features, _ = self.model.parts.pairs(histories, exclude_seen=exclude_seen, mask=mask, k=k)
        seen = features[:, self.model.columns]
        new = histories.lengths == 0
        popular = np.log1p(self.model.parts.statistics.pop28[found.items]).astype(np.float32)
        scores = np.where(new[found.rows], popular, self.model.score(features)).astype(np.float32)
        own = self.explorer.choose(found, scores, seen, len(histories), k, rng)
        if not new.any():
            return own
        plain = Scored(self.explorer.policy, self.explorer.pool).choose(found, scores, seen, len(histories), k, rng)
        return _either(new, plain, own)


@dataclass(frozen=True)
class Scored:
    """Explore over the ranker's own scores: epsilon-greedy, softmax, uniform or none at all."""

    policy: Policy
    pool: int = 100
    """the best candidates of a row that may be shown"""

    def choose(
        self, found: Candidates, scores: F32, features: F32, n: int, k: int, rng: np.random.Generator
    ) -> Explored:
        """As Explorer says; the features are not looked at."""
        places = pooled(found.rows, scores, n, max(self.pool, k))
        return _explored(self.policy, found, scores, padded(scores[None], places), places, k, rng)


@dataclass(frozen=True)
class Thompson:
    """Explore over a posterior on the ranker's last hidden layer."""

    policy: Policy
    representation: Representation
    posterior: NeuralLinear
    samples: int = 128
    """draws of the posterior behind each propensity: a propensity is a multiple of 1 / samples, plus what is explored"""
    pool: int = 100

    def choose(
        self, found: Candidates, scores: F32, features: F32, n: int, k: int, rng: np.random.Generator
    ) -> Explored:
        """As Explorer says; the ranker's scores choose the pool, the posterior the slate."""
        places = pooled(found.rows, scores, n, max(self.pool, k))
        hidden = self.representation.hidden(features)
        drawn = self.posterior.draws(hidden[None], self.samples, rng)[:, 0]  # [samples, pairs]
        return _explored(self.policy, found, scores, padded(drawn, places), places, k, rng)


def pooled(rows: NDArray[np.integer], scores: F32, n: int, pool: int) -> NDArray[np.int64]:
    """Places of each row's best pairs, best first; -1 pads. [n, at most pool]"""
    order = np.lexsort((-scores, rows))
    rank = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
    order, rank = order[rank < pool], rank[rank < pool]
    found = np.full((n, int(rank.max()) + 1 if len(rank) else 1), -1, dtype=np.int64)
    found[rows[order], rank] = order
    return found


def padded(values: NDArray[np.floating], places: NDArray[np.int64]) -> F64:
    """Values of pairs by row, -inf where there is none. [samples, pairs] -> [samples, n, c]"""
    if not values.shape[1]:
        return np.full((len(values), *places.shape), -np.inf)
    return np.where(places >= 0, values[:, places], -np.inf).astype(np.float64)


def _explored(
    policy: Policy,
    found: Candidates,
    scores: F32,
    samples: F64,
    places: NDArray[np.int64],
    k: int,
    rng: np.random.Generator,
) -> Explored:
    slate = policy.choose(samples, k, rng)
    held = samples.mean(axis=0)
    if not len(scores):
        shape = slate.places.shape
        nothing = Ranked(np.zeros(shape, np.int32), np.full(shape, -np.inf, np.float32), np.zeros(shape, np.uint8))
        return Explored(nothing, slate.propensities, np.zeros(places.shape, np.int64), held)
    shown = slate.places >= 0
    pairs = np.take_along_axis(places, np.maximum(slate.places, 0), axis=1)
    ranked = Ranked(
        np.where(shown, found.items[pairs], 0).astype(np.int32),
        np.where(shown, scores[pairs], -np.inf).astype(np.float32),
        np.where(shown, found.origins[pairs], 0).astype(np.uint8),
    )
    return Explored(ranked, slate.propensities, np.where(places >= 0, found.items[places], 0), held)


def log_of(own: Explored, receipts: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """What was shown, and what might have been -> the rows that `slates` reads, but for the reward, which comes later.

    receipts: id of each row's answer; names: id of each item code.
    """
    rows, places = np.nonzero(own.items)
    n, c = own.items.shape
    rank, chance = np.zeros((n, c), np.int64), np.zeros((n, c))
    shown, at = np.nonzero(own.ranked.items)
    to = (own.ranked.items[shown, at][:, None] == own.items[shown]).argmax(axis=1)
    rank[shown, to], chance[shown, to] = at + 1, own.propensities[shown, at]
    given = pl.col(Columns.Rank) > 0
    return pl.DataFrame(
        {
            Columns.Receipt: np.asarray(receipts)[rows],
            Columns.Item: np.asarray(names)[own.items[rows, places]],
            Columns.Score: own.scores[rows, places],
            Columns.Rank: rank[rows, places],
            Columns.Propensity: chance[rows, places],
        }
    ).with_columns(pl.when(given).then(pl.col(name)).alias(name) for name in (Columns.Rank, Columns.Propensity))


def _either(first: NDArray[np.bool_], one: Explored, other: Explored) -> Explored:
    """Rows of one where `first`, else of the other."""
    at = first[:, None]
    a, b = one.ranked, other.ranked
    ranked = Ranked(
        np.where(at, a.items, b.items), np.where(at, a.scores, b.scores), np.where(at, a.origins, b.origins)
    )
    return Explored(
        ranked,
        np.where(at, one.propensities, other.propensities),
        np.where(at, one.items, other.items),
        np.where(at, one.scores, other.scores),
    )
