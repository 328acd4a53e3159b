"""How far two populations of events are apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from recloop.data.profile import Profile

SMOOTHING = 0.5
"""added to every count, so that a bin that one side lacks has a finite weight"""


@dataclass(frozen=True)
class Drift:
    """Population stability index (PSI) of each view; below 0.1 is read as stable, above 0.25 as shifted."""

    category: float
    price: float
    hour: float

    @property
    def worst(self) -> tuple[str, float]:
        """Name and PSI of the view that shifted most."""
        return max((("category", self.category), ("price", self.price), ("hour", self.hour)), key=lambda view: view[1])


def drift(before: Profile, after: Profile) -> Drift:
    """Two profiles -> how far categories, prices and hours of the day shifted. Event frames: profile them first."""
    return Drift(
        category=psi(before.by_category, after.by_category),
        price=psi(before.by_price, after.by_price),
        hour=psi(before.by_hour, after.by_hour),
    )


def psi(before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """Counts by bin on two sides -> sum of (a - b) * ln(a / b) over shares; 0 where a side has no count.

    Siddiqi, Credit Risk Scorecards (2006), section on scorecard stability; shares are smoothed by 0.5 a bin.
    """
    bins = sorted(before.keys() | after.keys())
    if not sum(before.values()) or not sum(after.values()):
        return 0.0
    old, new = _shares(before, bins), _shares(after, bins)
    return sum((b - a) * log(b / a) for a, b in zip(old, new, strict=True))


def _shares(counts: Mapping[str, int], bins: list[str]) -> list[float]:
    total = sum(counts.values()) + SMOOTHING * len(bins)
    return [(counts.get(name, 0) + SMOOTHING) / total for name in bins]
