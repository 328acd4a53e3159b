"""What a model learns from and where it writes: the one argument of every fit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.config import ModelConfig, TrainerConfig
from recloop.data.dataset import Dataset, histories
from recloop.data.histories import Histories
from recloop.data.mapped import mapped
from recloop.data.statistics import ItemStatistics, item_statistics
from recloop.data.windows import Window

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Task:
    """One fit: the data, what of it may be learnt, and the folders.

    cut: only events before each user's start of this window may be learnt. watch: a window that begins where the cut
    does and may be looked at to stop or to choose a setting, never to learn weights from; None where everything before
    the cut is learnt with the settings as they are. warm: folder of an older model of the same kind.
    """

    dataset: Dataset
    cut: Window
    config: ModelConfig
    trainer: TrainerConfig
    seed: int
    out: Path
    work: Path
    watch: Window | None = None
    warm: Path | None = None
    progress: Progress | None = None

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return self.dataset.catalogue.height + 1

    @cached_property
    def past(self) -> Histories:
        """Everything that may be learnt: histories of all users before the cut."""
        past = past_of(self.dataset, self.cut)
        return mapped(past, self.work) if self.trainer.mapped else past

    @cached_property
    def statistics(self) -> ItemStatistics:
        """What is known of each item as of the cut."""
        return item_statistics(self.past, self.dataset.catalogue)

    @property
    def tuning(self) -> Window:
        """Where settings are chosen: what is watched, or the newest window that ends before the cut."""
        return self.watch if self.watch is not None else self.earlier(1)[0]

    def earlier(self, count: int) -> list[Window]:
        """The newest windows that end before the cut, newest first."""
        near = next(n for n in range(9) if (self.dataset.windows(n)[n].end <= self.cut.start).all())
        return list(self.dataset.windows(near + count - 1)[near:])

    def tell(self, what: str, share: float) -> None:
        """Report progress, share 0..1 of what is named."""
        if self.progress:
            self.progress(what, share)

    def before(self, cut: Window) -> "Task":
        """The same fit with an earlier cut, watching what lies from there on."""
        return replace(self, cut=cut, watch=cut)


def past_of(dataset: Dataset, window: Window, users: NDArray[np.int32] | None = None) -> Histories:
    """Histories up to a window's start: of all users, seen from one moment; or of some, each seen from its own."""
    if users is None:
        every = np.arange(1, len(dataset.users) + 1, dtype=np.int32)
        return histories(dataset.before(window), every, np.full(len(every), window.as_of))
    return histories(dataset.before(window), users, window.start[users])
