"""Which items lie nearest to a state: exactly, by one product with every item's vector."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recloop.data.grouped import top
from recloop.data.habits import Habits

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
MOST = 0.25
"""share of closed items above which a pass over all scores is cheaper than one over the closed ones"""


class Logits(Protocol):
    """What an encoder says of some rows."""

    def propose(self, cap: int, *, seen: Habits, allowed: NDArray[np.bool_]) -> I64:
        """The `cap` greatest of each row among the allowed items that it has not seen, as row * n_codes + item."""

    def at(self, rows: I64, items: I64) -> F32:
        """Logits of pairs. [pairs]"""


class Exact:
    """Logits of every item. scores [n, n_codes] belongs to this object."""

    def __init__(self, scores: F32) -> None:
        self.scores = scores

    def propose(self, cap: int, *, seen: Habits, allowed: NDArray[np.bool_]) -> I64:
        """As Logits says."""
        scores, own = self.scores, (seen.rows, seen.items)
        held = scores[own]
        scores[own] = -np.inf
        _close(scores, allowed)
        at = top(scores, cap)
        good = np.take_along_axis(scores, at, axis=1) > -np.inf
        # what was seen is asked for again
        scores[own] = held
        keys: I64 = (np.arange(len(scores))[:, None] * scores.shape[1] + at)[good]
        return keys

    def at(self, rows: I64, items: I64) -> F32:
        """As Logits says."""
        return self.scores[rows, items]


def _close(scores: F32, allowed: NDArray[np.bool_]) -> None:
    """Put -inf where an item is not allowed."""
    closed = np.flatnonzero(~allowed)
    if len(closed) > MOST * len(allowed):
        np.copyto(scores, -np.inf, where=~allowed)
    else:
        scores[:, closed] = -np.inf
