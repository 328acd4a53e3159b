"""A pool of candidates -> the list: one greedy pass under caps, budgets of boosts, and likeness to what stands above.

Diversity is maximal marginal relevance (Carbonell and Goldstein 1998): the next item has the greatest
(1 - diversity) * relevance - diversity * likeness to the most alike item above. Relevance is the score, scaled to 0..1 over
the pool. It is chosen over a determinantal point process (Chen et al. 2018) because caps and budgets change from slot to slot,
which a greedy pass takes in its stride.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recloop.serving.rules.room import Room

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
NOBODY = -1


class Alike(Protocol):
    """What knows how alike items are."""

    def likeness(self, items: NDArray[np.integer], others: NDArray[np.integer]) -> F32:
        """0 (nothing in common) to 1, by item codes. [items, others]"""


@dataclass(frozen=True)
class Pool:
    """Candidates, best first, as the pass sees them."""

    codes: NDArray[np.int32]  # [n]
    scores: F32  # [n]
    lifts: F32  # [n] added by the boost that is about the item; 0 without one
    boosts: I64  # [n] which boost that is; NOBODY without one
    shelves: Alike | None
    """None where diversity is off"""


@dataclass(frozen=True)
class Arranged:
    """Places in the pool, in the order of the list; which of them a boost put there; and how many a cap kept out."""

    places: list[int]
    boosted: frozenset[int]
    capped: int


def arrange(pool: Pool, room: Room, *, slots: int, budgets: tuple[int, ...], diversity: float) -> Arranged:
    """Pool -> at most `slots` places of it. budgets: of each boost, slots for what would not stand there without it."""
    relevance, lifts = _scaled(pool)
    nearest = np.zeros(len(pool.codes), dtype=np.float32)
    left = list(budgets)
    groups = [limit.groups[pool.codes] for limit in room.limits]
    used, held = np.zeros(len(pool.codes), dtype=bool), room.full(pool.codes)
    places: list[int] = []
    boosted: set[int] = set()
    for _ in range(slots):
        open_ = ~(used | held)
        if not open_.any():
            break
        plain = np.where(open_, (1 - diversity) * relevance - diversity * nearest, -np.inf)
        at = _lifted(plain, lifts, pool.boosts, left)
        if at != plain.argmax():
            left[pool.boosts[at]] -= 1
            boosted.add(at)
        places.append(at)
        used[at] = True
        for limit, group in room.take(int(pool.codes[at])):
            held |= groups[limit] == group
        if pool.shelves:
            nearest = np.maximum(nearest, pool.shelves.likeness(pool.codes[at : at + 1], pool.codes)[0])
    return Arranged(places, frozenset(boosted), int((held & ~used).sum()))


def _scaled(pool: Pool) -> tuple[F32, F32]:
    """Scores to 0..1, and lifts (in standard deviations of the scores) in that unit."""
    low, high = pool.scores.min(initial=np.inf), pool.scores.max(initial=-np.inf)
    span = float(high - low)
    if not span > 0:
        return np.zeros_like(pool.scores), pool.lifts
    return (pool.scores - low) / span, pool.lifts * float(pool.scores.std()) / span


def _lifted(plain: F32, lifts: F32, boosts: I64, budgets: list[int]) -> int:
    """The best place with the lifts of those boosts that have budget left."""
    if not budgets:
        return int(plain.argmax())
    open_ = np.array([*(budget > 0 for budget in budgets), False])
    return int((plain + np.where(open_[boosts], lifts, 0)).argmax())
