"""What every recommender takes and returns."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recloop.data.grouped import top
from recloop.data.histories import Histories


@dataclass(frozen=True)
class Ranked:
    """The best k items of n users, best first; short rows end in item 0 and score -inf."""

    items: NDArray[np.int32]  # [n, k] item codes
    scores: NDArray[np.float32]  # [n, k]
    origins: NDArray[np.uint8]  # [n, k] bit b set: candidate source b proposed it (0 where there is one source)


class Source(Protocol):
    """What answers."""

    def recommend(
        self,
        histories: Histories,
        *,
        k: int,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Ranked:
        """Histories -> the k best items of each row.

        exclude_seen leaves out what a row's history holds; allowed is a mask by item code; exclude are codes that no row gets.
        """


class Recommender(Source, Protocol):
    """One interface for baselines and models."""

    sources: tuple[str, ...]
    """names of the bits of an origin; none where the model is its own only source"""
    log_odds: bool
    """whether a score is the log-odds of being taken, so that it can be checked against what was"""

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""

    def recommend_twice(self, histories: Histories, *, k: int) -> tuple[Ranked, Ranked]:
        """What `recommend` gives without and with exclude_seen, for little more than the price of one."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the model holds for each item code, by name: a release checks that it is whole and finite. [n_codes, ...]"""


def joined(parts: list[Ranked], k: int) -> Ranked:
    """Parts of rows, in order, as one."""
    if not parts:
        return Ranked(np.zeros((0, k), np.int32), np.zeros((0, k), np.float32), np.zeros((0, k), np.uint8))
    arrays = zip(*((p.items, p.scores, p.origins) for p in parts), strict=True)
    return Ranked(*(np.concatenate(a) for a in arrays))


def permitted(n_codes: int, allowed: NDArray[np.bool_] | None, exclude: NDArray[np.int32] | None) -> NDArray[np.bool_]:
    """Mask of item codes that may be recommended; padding never. [n_codes]"""
    mask = np.ones(n_codes, dtype=bool) if allowed is None else allowed.copy()
    mask[0] = False
    if exclude is not None:
        mask[exclude] = False
    return mask


def best(
    scores: NDArray[np.float32], histories: Histories, *, k: int, exclude_seen: bool, mask: NDArray[np.bool_]
) -> Ranked:
    """Scores of every item -> Ranked. scores [n, n_codes] is changed in place."""
    scores[:, ~mask] = -np.inf
    if exclude_seen:
        scores[histories.rows, histories.items] = -np.inf
    at = top(scores, k)
    found = np.take_along_axis(scores, at, axis=1)
    items = np.where(np.isfinite(found), at, 0).astype(np.int32)
    short = k - items.shape[1]
    if short > 0:
        items = np.pad(items, ((0, 0), (0, short)))
        found = np.pad(found, ((0, 0), (0, short)), constant_values=-np.inf)
    return Ranked(items, found, np.zeros(items.shape, dtype=np.uint8))
