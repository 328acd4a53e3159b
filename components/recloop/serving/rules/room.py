"""What may still enter a list: the mask of the rules, and the caps that fill up as items stand in it."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Limit:
    """At most so many items of one group. groups: number of each item's, by item code; 0 is in no group. [n_codes]"""

    groups: I64
    at_most: int


@dataclass(frozen=True)
class Room:
    """One list while it is made."""

    allowed: NDArray[np.bool_]  # [n_codes]
    limits: tuple[Limit, ...] = ()
    counts: tuple[dict[int, int], ...] = field(init=False)
    """of each limit: items of each group that stand in the list"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", tuple({} for _ in self.limits))

    def permits(self, code: int) -> bool:
        """Whether the item may be shown at all."""
        return bool(code) and bool(self.allowed[code])

    def fits(self, code: int) -> bool:
        """Whether it may be shown, and no cap that is about it is reached."""
        return self.permits(code) and not self.full(np.array([code]))[0]

    def take(self, code: int) -> list[tuple[int, int]]:
        """Count an item that stands in the list -> the limits, by number, of which it filled a group, and the group."""
        filled = []
        for n, (limit, count) in enumerate(zip(self.limits, self.counts, strict=True)):
            group = int(limit.groups[code])
            count[group] = count.get(group, 0) + (group > 0)
            if count[group] >= limit.at_most:
                filled.append((n, group))
        return filled

    def full(self, codes: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of the items a cap keeps out now. [n]"""
        held = np.zeros(len(codes), dtype=bool)
        for limit, count in zip(self.limits, self.counts, strict=True):
            reached = [group for group, n in count.items() if n >= limit.at_most]
            if reached:
                held |= np.isin(limit.groups[codes], reached)
        return held
