"""Which source answers a user of whom few events are known: thresholds that an evaluation learnt."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from recloop.errors import BadRelease
from recloop.models.frequency import Frequency
from recloop.models.popularity import Popularity
from recloop.models.ranked import Recommender
from recloop.models.served import Served

MODEL = "model"
FILE = "router.json"


@dataclass(frozen=True)
class Stretch:
    """Users of at least `events` known events, up to the next stretch."""

    events: int
    source: str
    """who answers them"""
    users: int
    """on whom it was chosen"""
    chosen_by: Mapping[str, float]
    """NDCG of each source on these users"""
    held_out: Mapping[str, float]
    """NDCG of MODEL and of the chosen source on as many other users"""


@dataclass(frozen=True)
class Router:
    """Stretches of numbers of events, ascending from 0; without any, the model answers everybody."""

    stretches: tuple[Stretch, ...] = ()

    def source(self, events: int) -> str:
        """Who answers a user of so many events."""
        found = [stretch.source for stretch in self.stretches if stretch.events <= events]
        return found[-1] if found else MODEL

    def save(self, folder: Path) -> None:
        """Write router.json."""
        raw = [asdict(stretch) for stretch in self.stretches]
        (folder / FILE).write_text(json.dumps(raw, indent=1, sort_keys=True))

    @classmethod
    def load(cls, folder: Path) -> "Router":
        """Read what `save` wrote; a folder without it has a router without stretches. Raises BadRelease."""
        path = folder / FILE
        if not path.exists():
            return cls()
        found = cls(tuple(Stretch(**raw) for raw in json.loads(path.read_text())))
        unknown = {stretch.source for stretch in found.stretches} - set(SOURCES)
        if unknown:
            raise BadRelease(f"{path} names the sources {sorted(unknown)}; the sources are {', '.join(SOURCES)}.")
        return found


UNROUTED = Router()
GENERAL = (MODEL, "popularity_28", "popularity_7", "item_knn", "frequency")
ALIKE = "alike"
"""what users with the same attributes take; the one source that must be told who asks"""
SOURCES = (*GENERAL, ALIKE)


def sources_of(served: Served) -> dict[str, Recommender | Served]:
    """Who may answer whoever asks, by the names of GENERAL; all are made of what a release holds."""
    held, near = served.statistics, served.item_knn
    made = (
        served,
        Popularity(np.log1p(held.pop28)),
        Popularity(np.log1p(held.pop7)),
        near,
        Frequency(held.pop28, half_life=near.half_life),
    )
    return dict(zip(GENERAL, made, strict=True))
