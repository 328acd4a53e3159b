"""Histories -> blocks of their last events as padded arrays, short rows with short ones."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recloop.data.histories import Histories


class Tails(NamedTuple):
    """The last events of some rows, padded at the end."""

    rows: NDArray[np.int64]  # [block] rows of the histories
    items: NDArray[np.int64]  # [block, length] codes, 0 where there is no event
    times: NDArray[np.int64]  # [block, length] seconds since the first of them
    lengths: NDArray[np.int64]  # [block] >= 1
    at: NDArray[np.int64]  # [block, length] events, each row's first of them where there is none


def fed(part: Tails, context: NDArray[np.uint8]) -> dict[str, NDArray[np.int64]]:
    """What a sequence model is asked by, by name. context: of every event [events, kinds]"""
    around = np.where((part.items > 0)[:, :, None], context[part.at], 0).astype(np.int64)
    return {"items": part.items, "lengths": part.lengths, "times": part.times, "context": around}


def tails(histories: Histories, *, length: int, block: int) -> Iterator[Tails]:
    """Blocks of the rows that have an event, at most `block` rows each and `length` last events a row."""
    lengths = np.minimum(histories.lengths, length)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    for start in range(0, len(order), block):
        rows = order[start : start + block]
        own = lengths[rows]
        place = np.arange(own.max())
        first = (histories.offsets[rows + 1] - own)[:, None]
        inside = place < own[:, None]
        at = np.where(inside, first + place, first)
        items = np.where(inside, histories.items[at], 0).astype(np.int64)
        yield Tails(rows, items, histories.times[at] - histories.times[first], own, at)
