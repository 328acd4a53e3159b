"""Two towers: the user's history and the moment on one side, the item on the other; the score is their dot product.

Covington et al. 2016 (section 3) and Yi et al. 2019. numpy and ONNX Runtime only: evaluation and serving run the same code
on the same files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from recloop.data.discoveries import discoveries
from recloop.data.habits import DAY
from recloop.data.histories import Histories
from recloop.models.encoder import session
from recloop.models.family import facts_of
from recloop.models.scorer import Scorer

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
VECTORS, TOWER = "item_vectors.npy", "user_tower.onnx"
ROWS = 256
HOURS, WEEK = 24.0, 7.0
CONTEXT = 2
"""columns of the context without the clock; the clock has four more"""


@dataclass(frozen=True)
class Views:
    """What the user tower sees of n moments."""

    items: I64  # [n, length] last items before the moment, newest last; 0 where there are fewer
    ages: F32  # [n, length] days before the moment
    context: F32  # [n, CONTEXT or CONTEXT + 4]


def views(items: NDArray[np.int32], times: I64, *, starts: I64, ends: I64, now: I64, length: int, clock: bool) -> Views:
    """Events of all rows, one row after another -> what is seen at n moments.

    starts, ends: positions of a moment's own row up to what lies before the moment. now: the moments, seconds.
    """
    at = ends[:, None] - np.arange(length, 0, -1)  # [n, length]
    there = at >= starts[:, None]
    at = np.where(there, at, 0)
    none = np.zeros(1, dtype=np.int64)
    codes, when = (items, times) if len(items) else (none, none)
    ages = np.where(there, (now[:, None] - when[at]) / DAY, 0).astype(np.float32)
    seen = np.where(there, codes[at], 0).astype(np.int64)
    return Views(seen, ages, _context(ages[:, -1], ends - starts, now, clock))


def _context(since: F32, events: I64, now: I64, clock: bool) -> F32:
    """Days since the last event and events so far, both as log(1 + x); hour and weekday in UTC as points of a circle."""
    columns = [np.log1p(since), np.log1p(events) / 4]
    if clock:
        turns = (now / 3600 / HOURS, (now / DAY + 4) / WEEK)
        columns += [wave(2 * np.pi * (turn % 1)) for turn in turns for wave in (np.sin, np.cos)]
    return np.stack(columns, axis=1).astype(np.float32)


class TwoTower(Scorer):
    """Vectors of items as of the cut, and the user tower."""

    def __init__(self, run: ort.InferenceSession, vectors: F32, *, length: int, repeats: bool, clock: bool) -> None:
        self.run, self.vectors, self.length, self.repeats, self.clock = run, vectors, length, repeats, clock
        self.turned = np.ascontiguousarray(vectors.T)  # [dim, n_codes]

    @property
    def n_codes(self) -> int:
        """Item codes, padding included."""
        return len(self.vectors)

    def encode(self, histories: Histories) -> F32:
        """Histories -> vectors of users as of now; a row without a history has one too, by its context alone. [n, dim]"""
        known = histories.within(self.n_codes)
        seen = known if self.repeats else discoveries(known)
        out = [np.zeros((0, self.vectors.shape[1]), dtype=np.float32)]
        for part in _parts(seen):
            view = views(
                part.items,
                part.times,
                starts=part.offsets[:-1],
                ends=part.offsets[1:],
                now=part.now,
                length=self.length,
                clock=self.clock,
            )
            inputs = {"items": view.items, "ages": view.ages, "context": view.context}
            out.append(self.run.run(["user"], inputs)[0])
        return np.concatenate(out)

    def scores(self, histories: Histories) -> F32:
        """Dot products. [n, n_codes]"""
        return self.encode(histories) @ self.turned

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Vectors of items."""
        return {"item vectors": self.vectors}


def load(folder: Path, *, threads: int = 1) -> TwoTower:
    """Read a model folder."""
    facts = facts_of(folder)
    return TwoTower(
        session(folder / TOWER, threads=threads),
        np.load(folder / VECTORS, allow_pickle=False),
        length=int(facts["length"]),
        repeats=bool(facts["repeats"]),
        clock=bool(facts["clock"]),
    )


def _parts(histories: Histories) -> Iterator[Histories]:
    for start in range(0, len(histories), ROWS):
        yield histories.part(start, start + ROWS)
