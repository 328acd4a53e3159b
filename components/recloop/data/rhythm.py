"""How regularly a user comes back for something, counted in visits, days and weeks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.data.grouped import Grouped
from recloop.data.habits import ages
from recloop.data.histories import Histories

F32 = NDArray[np.float32]
VISITS = (2.0, 5.0, 15.0, 40.0)  # half-lives
DAYS = (14.0, 60.0, 180.0)
WEEKS = (4.0, 12.0)


@dataclass(frozen=True)
class Rhythm:
    """One entry a group of events that a row has in common (its events of an item, or of a category)."""

    visits: tuple[F32, ...]  # visits with it, decayed by each of VISITS
    since: F32  # visits of the row after the last with it
    gap_spread: F32  # standard deviation of the days between two visits with it; 0 where there were fewer than three
    gap_last: F32  # days between the last two visits with it; 0 where there was one
    days: tuple[F32, ...]  # events, decayed by each of DAYS
    weeks: tuple[F32, ...]  # weeks with it, counted back from now, decayed by each of WEEKS


def rhythm(histories: Histories, groups: Grouped) -> Rhythm:
    """Histories and a grouping of their events within rows -> Rhythm."""
    age, back = ages(histories), visits_back(histories)
    fresh = _changes(groups, back)
    weeks = np.floor(age / 7).astype(np.float32)
    weekly = _changes(groups, weeks)
    spread, last = _gaps(groups, age, fresh)
    return Rhythm(
        visits=tuple(groups.sum(fresh * np.float32(0.5) ** (back / np.float32(half))) for half in VISITS),
        since=groups.last(back),
        gap_spread=spread,
        gap_last=last,
        days=tuple(groups.sum(np.float32(0.5) ** (age / np.float32(half))) for half in DAYS),
        weeks=tuple(groups.sum(weekly * np.float32(0.5) ** (weeks / np.float32(half))) for half in WEEKS),
    )


def visits_back(histories: Histories) -> F32:
    """Visits (events of a row at one moment) between each event and the row's last. [events]"""
    if not len(histories.times):
        return np.zeros(0, dtype=np.float32)
    rows = histories.rows
    fresh = (histories.times[1:] != histories.times[:-1]) | (rows[1:] != rows[:-1])
    visit = np.concatenate([[0], np.cumsum(fresh)])
    last = visit[np.maximum(histories.offsets[1:] - 1, 0)]
    back: F32 = (last[rows] - visit).astype(np.float32)
    return back


def _changes(groups: Grouped, values: F32) -> F32:
    """1 for each event whose value differs from the one before it in its group, else 0. [events]"""
    marks = np.zeros(len(values), dtype=np.float32)
    if len(values):
        ordered = values[groups.order]
        fresh = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        fresh[groups.starts] = True
        marks[groups.order] = fresh
    return marks


def _gaps(groups: Grouped, age: F32, fresh: F32) -> tuple[F32, F32]:
    """Spread of the days between visits, and the newest of them. [groups] each"""
    if not len(age):
        return np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.float32)
    ordered = age[groups.order].astype(np.float64)
    gap = np.concatenate([[0.0], ordered[:-1] - ordered[1:]])
    gap[groups.starts] = 0
    count = np.add.reduceat(fresh[groups.order].astype(np.float64), groups.starts) - 1
    total, square = np.add.reduceat(gap, groups.starts), np.add.reduceat(gap**2, groups.starts)
    many = np.maximum(count, 1)
    spread = np.sqrt(np.maximum(square / many - (total / many) ** 2, 0))
    return spread.astype(np.float32), _newest(groups, gap)


def _newest(groups: Grouped, gap: NDArray[np.float64]) -> F32:
    """The last gap of each group that is not zero."""
    place = np.where(gap > 0, np.arange(len(gap)), -1)
    newest = np.maximum.reduceat(place, groups.starts)
    return np.where(newest >= 0, gap[newest], 0).astype(np.float32)
