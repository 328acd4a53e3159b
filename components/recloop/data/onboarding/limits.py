"""What the events are like -> limits of the check, windows of the split and baselines that fit them."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from recloop.columns import Columns
from recloop.config import GateConfig, QualityConfig, SplitConfig
from recloop.data.events import reject
from recloop.data.profile import Profile, profile

USUAL = QualityConfig()
SLACK = 1.5
"""limits lie this much above what was seen"""
TEST_SHARE = 4
"""the test window is at most one part in so many of the history"""
REPEATS = 0.02
"""share of pairs of user and item that come again, below which nobody takes an item twice"""
PLENTY = 0.8


@dataclass(frozen=True)
class Limits:
    """Sections of a configuration, facts for people, and doubts."""

    sections: dict[str, dict[str, Any]]
    facts: dict[str, Any]
    doubts: tuple[str, ...]


def limits(events: pl.DataFrame, items: pl.DataFrame, *, now: datetime) -> Limits:
    """Events as read, items -> Limits: the first expectations, measured on the rows at hand."""
    good, quarantine = reject(events, items, config=USUAL, now=now)
    found = profile(good, quarantine, items)
    quality, bad = _quality(found)
    split, short = _split(good)
    repeats = _repeats(good)
    sections = {"quality": quality, "split": split, **_no_repeats(repeats)}
    facts = {
        "rows": found.rows,
        "quarantine": found.quarantined,
        "users": found.users,
        "items": found.items,
        "catalogue": found.catalogue,
        "first": found.first,
        "last": found.last,
        "kinds": found.kinds,
        "repeats": round(repeats, 4),
    }
    return Limits({k: v for k, v in sections.items() if v}, facts, (*bad, *short, *_clock(found), *_few(good)))


def _quality(found: Profile) -> tuple[dict[str, Any], list[str]]:
    """Limits that differ from the usual ones, and the reasons why rows are refused."""
    wanted = {
        "max_bad_share": _above(found.bad_share, USUAL.max_bad_share, 1.0),
        "max_top_item_share": _above(found.top_item_share, USUAL.max_top_item_share, 1.0),
        "max_new_item_share": _above(found.new_item_share or 0.0, USUAL.max_new_item_share, 1.0),
        "max_volume_change": _above(_ratio(found.volume_change), USUAL.max_volume_change, math.inf),
    }
    said = [
        f"check: {rows:,} of {found.rows:,} rows ({rows / found.rows:.1%}) will go to quarantine as {reason}"
        for reason, rows in found.quarantined.items()
    ]
    return {name: value for name, value in wanted.items() if value is not None}, said


def _above(seen: float, usual: float, most: float) -> float | None:
    """A limit with slack above what was seen, to two digits; None where the usual one has it."""
    if seen * SLACK <= usual:
        return None
    return min(math.ceil(round(seen * SLACK * 100, 6)) / 100, most)


def _ratio(change: float | None) -> float:
    return 1.0 if not change else max(change, 1 / change)


def _split(good: pl.DataFrame) -> tuple[dict[str, Any], list[str]]:
    """A test window of at most a quarter of the history, and few enough events for an item to be known."""
    usual = SplitConfig()
    time = pl.col(Columns.Time)
    days = float(good.select(((time.max() - time.min()).dt.total_seconds() / 86_400).fill_null(0.0)).item())
    test = max(1, min(usual.test_days, int(days / TEST_SHARE)))
    counts = good.group_by(Columns.Item).len()["len"]
    covered = counts.filter(counts >= usual.min_item_events).sum() / max(good.height, 1)
    found: dict[str, Any] = {"test_days": test} if test != usual.test_days else {}
    found |= {"min_item_events": 2} if covered < PLENTY else {}
    found |= {"kind": "leave_last_out"} if _sparse(good, test) else {}
    short = [f"time: only {days:.1f} days of history; tests look at the last {test} of them"] if days < 28 else []
    return found, short


def _sparse(good: pl.DataFrame, test: int) -> bool:
    """Whether the test window holds too few users to decide anything, though there are enough in all."""
    time, needed = pl.col(Columns.Time), GateConfig().min_users
    late = good.filter(time > time.max() - pl.duration(days=test))
    return late[Columns.User].n_unique() < needed <= good[Columns.User].n_unique()


def _repeats(good: pl.DataFrame) -> float:
    """Share of pairs of user and item that occur on more than one day."""
    days = good.select(Columns.User, Columns.Item, pl.col(Columns.Time).dt.date().alias("day")).unique()
    pairs = days.group_by(Columns.User, Columns.Item).len()["len"]
    return float((pairs > 1).sum()) / max(len(pairs), 1)


def _no_repeats(repeats: float) -> dict[str, dict[str, Any]]:
    """Where nobody takes an item twice, personal frequency is no rival, and only what is new to a user is judged."""
    if repeats >= REPEATS:
        return {}
    return {
        "evaluation": {"baselines": ["popularity", "item_knn"]},
        "gate": {"views": ["new"], "champion_views": ["new"]},
    }


def _clock(found: Profile) -> list[str]:
    """A night that lies in the day tells a wrong zone. Judged by the six quietest hours in a row."""
    hours = [found.by_hour.get(f"{h:02d}", 0) for h in range(24)]
    if sum(hours) < 1_000 or sum(1 for n in hours if n) < 12:
        return []
    quiet = min(range(24), key=lambda h: sum(hours[(h + n) % 24] for n in range(6)))
    share = sum(hours[(quiet + n) % 24] for n in range(6)) / sum(hours)
    if share > 0.1 or quiet in {20, 21, 22, 23, *range(5)}:
        return []
    return [f"time: the quietest six hours begin at {quiet:02d}:00 UTC; if that is not the night, say --timezone"]


def _few(good: pl.DataFrame) -> list[str]:
    users, needed = good[Columns.User].n_unique(), GateConfig().min_users
    if users >= needed:
        return []
    return [f"gate: {users:,} users are fewer than the {needed} that gate.min_users asks for: nothing will be released"]
