"""Histories -> what each user tried for the first time, in order: the sequence whose next steps are new to the user."""

import numpy as np

from recloop.data.histories import Histories


def discoveries(histories: Histories) -> Histories:
    """Each row's first event of each item, oldest first; `now` stays. An event counts as a repeat only within its row."""
    width = np.int64(histories.items.max(initial=0)) + 1
    first = np.sort(np.unique(histories.rows * width + histories.items, return_index=True)[1])
    return histories.only(first)
