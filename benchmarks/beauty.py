"""Amazon Beauty (12,101 items, 22,363 users), leave-one-out: what is learnt, and the validation visit that it is judged by."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from validation import Validation

from recloop.config import DataConfig, SplitConfig
from recloop.data import split
from recloop.data.histories import Histories
from recloop.data.sources.collect import collect
from recloop.models.tails import tails
from recloop.models.task import past_of
from recloop_pipelines.sets import fetched


@dataclass(frozen=True)
class Beauty:
    """Histories before the validation visit, and that visit."""

    past: Histories
    n_codes: int
    validation: Validation

    def write(self, folder: Path) -> None:
        """interactions.csv and validation.npz, for a peer."""
        rows = zip(self.past.rows.tolist(), self.past.items.tolist(), self.past.times.tolist(), strict=True)
        lines = (f"{user},{item},{time}\n" for user, item, time in rows)
        (folder / "interactions.csv").write_text("user_id,item_id,time\n" + "".join(lines))
        self.validation.save(folder / "validation.npz")


def load(length: int) -> Beauty:
    """Fetch (RECLOOP_DATA_MIRROR is asked first), split, and cut the validation's histories to `length`."""
    events, items = collect(DataConfig(source="public", events="beauty"), folder=fetched("beauty"))
    data = split.build(events, items, SplitConfig(kind="leave_last_out", min_item_events=1))
    window, n_codes = data.windows(1)[1], data.catalogue.height + 1
    past, truth = past_of(data, window), data.truth(window).fresh()
    own = past_of(data, window, truth.users)
    seen = np.stack([own.rows, own.items.astype(np.int64)])
    known = np.bincount(past.items, minlength=n_codes) > 0
    newest, lengths = in_front(own, length)
    return Beauty(past, n_codes, Validation(newest, lengths, truth.items.astype(np.int64), seen, known))


def in_front(histories: Histories, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Histories -> their newest items, padded in front [n, length], and how many there are [n]."""
    newest = np.zeros((len(histories), length), dtype=np.int64)
    lengths = np.minimum(histories.lengths, length)
    for part in tails(histories, length=length, block=512):
        rows, places = np.nonzero(part.items)
        newest[part.rows[rows], places + length - part.lengths[rows]] = part.items[rows, places]
    return newest, lengths
