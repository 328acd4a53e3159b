"""Team-draft interleaving: two rankings in one list, and which of them the shopper preferred (Radlinski et al. 2008)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Draft:
    """One list made of two rankings; team 0 or 1 is the ranking that put the item there."""

    items: tuple[str, ...]
    teams: tuple[int, ...]


def draft(first: Sequence[str], second: Sequence[str], *, k: int, rng: np.random.Generator) -> Draft:
    """Two rankings, best first -> the k items of both teams: in each round a coin says who picks first."""
    rankings, nexts = (first, second), [0, 0]
    items: dict[str, int] = {}
    while len(items) < k:
        before = len(items)
        for team in rng.permutation(2).tolist():
            if len(items) < k:
                _pick(rankings[team], nexts, team, items)
        if len(items) == before:
            break
    return Draft(tuple(items), tuple(items.values()))


def _pick(ranking: Sequence[str], nexts: list[int], team: int, items: dict[str, int]) -> None:
    """The team's best item that is not in the list yet."""
    while nexts[team] < len(ranking):
        item = ranking[nexts[team]]
        nexts[team] += 1
        if item not in items:
            items[item] = team
            return
