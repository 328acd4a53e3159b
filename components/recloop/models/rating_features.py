"""What the rating network sees of a user, an item and a moment: all of it from ratings that may be learnt."""

from dataclasses import dataclass

import numpy as np

from recloop.models.rating import F32, F64, I64, Biases, Ratings, Sides
from recloop.models.rating_factors import Factors

DAY = 86_400.0
NEAR = 15
"""ratings on each side of a moment that are looked at"""
SPANS = (600.0, DAY)
"""seconds after which a neighbour in time counts a third"""
SHRINK = 5.0


@dataclass(frozen=True)
class Known:
    """Ratings that may be learnt and what was found in them; factors are None for a network that stands alone."""

    ratings: Ratings  # sorted by user, time
    biases: Biases
    factors: Factors | None

    @property
    def residuals(self) -> F64:
        """What the biases leave of each rating. [n]"""
        own = self.ratings
        return own.values - self.biases.predict(own.users, own.items, own.times)


def by_user(ratings: Ratings) -> Ratings:
    """Sorted by user, then time."""
    return ratings.take(np.lexsort((ratings.items, ratings.times, ratings.users)))


def features(known: Known, sides: Sides, moods: str, users: I64, items: I64, times: I64) -> tuple[F64, F32]:
    """(user, item, time) -> the prediction to add to, and the features. [n], [n, width]

    moods: whether the user's ratings around the moment are looked at: none, past (up to it) or both sides of it.
    """
    left = known.residuals
    columns = [known.biases.users[users], known.biases.items[items]]
    base = known.biases.predict(users, items, times)
    if known.factors is not None:
        found, spread = known.factors.spread(users, items)
        columns += [found - base, spread]
        base = found
    columns += _habits(known.ratings.users, left, users, sides.shape[0])
    columns += _habits(known.ratings.items, left, items, sides.shape[1])
    columns += [_age(known.ratings.users, known.ratings.times, users, times, sides.shape[0])]
    columns += [_age(known.ratings.items, known.ratings.times, items, times, sides.shape[1])]
    if moods != "none":
        columns += _moods(known.ratings, left, users, times, after=NEAR if moods == "both" else 0)
    columns += [_tastes(known.ratings, left, sides, users, items)]
    wide = np.column_stack([*columns, sides.users[users], sides.items[items]])
    return base, wide.astype(np.float32)


def _habits(codes: I64, left: F64, wanted: I64, n: int) -> list[F64]:
    """How much each user or item was rated and how widely the residuals spread. [n] each"""
    counts = np.bincount(codes, minlength=n)
    spread = (np.bincount(codes, np.square(left), n) + SHRINK) / (counts + SHRINK)
    return [np.log1p(counts)[wanted], np.sqrt(spread)[wanted]]


def _age(codes: I64, moments: I64, wanted: I64, times: I64, n: int) -> F64:
    """Log days since the first rating of a user or item. [n]"""
    first = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(first, codes, moments)
    days: F64 = np.maximum(times - np.minimum(first[wanted], times), 0) / DAY
    return np.log1p(days)


def _moods(ratings: Ratings, left: F64, users: I64, times: I64, *, after: int) -> list[F64]:
    """The user's residuals around a moment, nearer ones counting more; ratings of that second count as before it. [n] each"""
    width = np.int64(ratings.times.max() - ratings.times.min() + 2)
    start = ratings.times.min()
    keys = ratings.users * width + (ratings.times - start)
    middle = np.searchsorted(keys, users * width + np.clip(times - start, 0, width - 1), "right")
    at = middle[:, None] + np.arange(-NEAR, after)  # [n, NEAR + after]
    inside = (at >= 0) & (at < len(ratings))
    at = np.clip(at, 0, len(ratings) - 1)
    inside &= ratings.users[at] == users[:, None]
    apart = np.abs(ratings.times[at] - times[:, None])
    found = []
    for span in SPANS:
        weight = inside * np.exp(-apart / span)
        found += [(weight * left[at]).sum(axis=1) / (1 + weight.sum(axis=1)), np.log1p(weight.sum(axis=1))]
    return found


def _tastes(ratings: Ratings, left: F64, sides: Sides, users: I64, items: I64) -> F64:
    """The user's shrunk residuals by trait of the item, over the item's traits. [n]"""
    traits = sides.items
    if not traits.shape[1]:
        return np.zeros(len(users))
    n = sides.shape[0]
    sums, counts = np.zeros((n, traits.shape[1])), np.zeros((n, traits.shape[1]))
    own = traits[ratings.items]
    for trait in range(traits.shape[1]):
        sums[:, trait] = np.bincount(ratings.users, own[:, trait] * left, n)
        counts[:, trait] = np.bincount(ratings.users, np.abs(own[:, trait]), n)
    liking = sums / (counts + SHRINK)
    found: F64 = (liking[users] * traits[items]).sum(axis=1) / np.maximum(np.abs(traits[items]).sum(axis=1), 1)
    return found
