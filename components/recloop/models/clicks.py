"""Rankers that see more than pair features: what a user had lately, and two stages whose second one attends to it.

numpy and ONNX Runtime only: evaluation and serving run the same code on the same files.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.data.habits import Habits

F32 = NDArray[np.float32]
FACTS = 2
"""what a memory says of each item"""


@dataclass(frozen=True)
class Memory:
    """The last different items of n users, newest first."""

    items: NDArray[np.int64]  # [n, length] item codes, 0 where there are fewer
    facts: F32  # [n, length, FACTS] log(1 + days since the last time), log(1 + times)

    def __len__(self) -> int:
        return len(self.items)


def memory(habit: Habits, n: int, *, length: int) -> Memory:
    """Habits of n rows -> Memory; of items that a row had last at one moment, the smaller code comes first."""
    rows, codes = habit.rows, habit.items
    order = np.lexsort((codes, habit.last, rows))
    place = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
    kept = place < length
    order, at = order[kept], (rows[order[kept]], place[kept])
    items = np.zeros((n, length), dtype=np.int64)
    facts = np.zeros((n, length, FACTS), dtype=np.float32)
    items[at] = codes[order]
    facts[at] = np.log1p(np.stack([habit.last[order], habit.count[order]], axis=1))
    return Memory(items, facts)
