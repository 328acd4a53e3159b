"""What was around each event, as small whole numbers: the one place from which training and serving take context.

Code 0 stands for what is not known: of padding, of a gap, and of a missing price. Needs numpy only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.config import ContextName
from recloop.data.histories import Histories
from recloop.data.stores import STORES

HOUR, DAY = 3600, 86400
NONE_BEFORE, SPANS = 1, 17
CHEAPEST, PRICES = -10, 42
"""half powers of two: the least price that is told from cheaper ones, and the codes"""
DISCOUNTS = 5


@dataclass(frozen=True)
class Feature:
    """One kind of context: codes below `size` of every event of histories."""

    size: int
    of: Callable[[Histories], NDArray[np.integer]]


def _hour(histories: Histories) -> NDArray[np.integer]:
    """Hour of the day, UTC, from 1."""
    return 1 + histories.times % DAY // HOUR


def _weekday(histories: Histories) -> NDArray[np.integer]:
    """Day of the week, UTC, Monday is 1 (the epoch was a Thursday)."""
    return 1 + (histories.times // DAY + 3) % 7


def _since(histories: Histories) -> NDArray[np.integer]:
    """Time since the row's event before: none, the same moment, then powers of two of hours."""
    hours = np.diff(histories.times, prepend=0) / HOUR
    spans = NONE_BEFORE + 1 + np.ceil(np.log2(1 + np.maximum(hours, 0))).astype(np.int64)
    spans[histories.offsets[:-1][histories.lengths > 0]] = NONE_BEFORE
    codes: NDArray[np.int64] = np.minimum(spans, SPANS - 1)
    return codes


def _price(histories: Histories) -> NDArray[np.integer]:
    """Level of the price paid for one unit, in half powers of two; 0 where it is unknown or nothing."""
    paid = histories.prices > 0
    level = np.floor(2 * np.log2(np.where(paid, histories.prices, 1))).astype(np.int64) - CHEAPEST
    return np.where(paid, 1 + np.clip(level, 0, PRICES - 2), 0)


def _discount(histories: Histories) -> NDArray[np.integer]:
    """Share of the shelf price taken off, in fifths from 2; 1 where nothing was."""
    return 1 + np.ceil(DISCOUNTS * np.clip(histories.discounts, 0, 1)).astype(np.int64)


def _store(histories: Histories) -> NDArray[np.integer]:
    """Shop, site or device; 0 where it is unknown."""
    return histories.stores


FEATURES: dict[ContextName, Feature] = {
    "hour": Feature(25, _hour),
    "weekday": Feature(8, _weekday),
    "since": Feature(SPANS, _since),
    "price": Feature(PRICES, _price),
    "discount": Feature(DISCOUNTS + 2, _discount),
    "store": Feature(STORES, _store),
}


def context_of(histories: Histories, names: Sequence[ContextName]) -> NDArray[np.uint8]:
    """Codes of every event. [events, names]"""
    made = np.zeros((len(histories.items), len(names)), dtype=np.uint8)
    for n, name in enumerate(names):
        made[:, n] = FEATURES[name].of(histories)
    return made
