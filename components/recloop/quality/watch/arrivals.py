"""What a delivery changed in what was checked before: late rows, rows without a day, and another catalogue."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from recloop.columns import Columns
from recloop.config.watching import WatchConfig
from recloop.data.profile import Profile
from recloop.quality.watch.findings import QUOTED, Finding
from recloop.quality.watch.scores import FEW

UNDATED = ("unreadable_time", "missing_time", "time_in_future", "time_too_early")
MAX_UNDATED = 0.005
"""of a usual day's rows"""
CHANGING = (Columns.Title, Columns.Category)


@dataclass(frozen=True)
class LastCheck:
    """What the last check let pass."""

    profile: Profile
    items: pl.DataFrame
    until: int
    """the last day that was judged"""


def arrivals(
    good: pl.DataFrame,
    quarantine: pl.DataFrame,
    items: pl.DataFrame,
    before: LastCheck,
    *,
    config: WatchConfig,
    day: str,
) -> list[Finding]:
    """Tables and what was checked last -> findings about the delivery, dated `day`."""
    usual = max(before.profile.recent_events_a_day, 1.0)
    return [
        *_late(good, before.profile, config.max_late_share, usual, day),
        *_undated(quarantine, before.profile, usual, day),
        *([] if items.equals(before.items) else _catalogue(items, before.items, config, day)),
    ]


def _catalogue(items: pl.DataFrame, before: pl.DataFrame, config: WatchConfig, day: str) -> list[Finding]:
    return [
        *_lost(items, before, config.max_lost_item_share, day),
        *_changed(items, before, config.max_changed_item_share, day),
    ]


def _late(good: pl.DataFrame, before: Profile, limit: float, usual: float, day: str) -> list[Finding]:
    if before.last is None:
        return []
    old = good.filter(pl.col(Columns.Time) <= datetime.fromisoformat(before.last))
    late, allowed = old.height - before.good, max(limit * usual, FEW)
    if late <= allowed:
        return []
    found = old.tail(QUOTED)[Columns.EventId].to_list()
    cause = "a clock that runs slow, labels that arrive late, or rows dated back"
    remedy = "Check which feed sent them; raise quality.watch.max_late_share where such delay is usual."
    return [Finding("late", day, "", late / allowed, late, 0, late, tuple(found), cause, remedy)]


def _undated(quarantine: pl.DataFrame, before: Profile, usual: float, day: str) -> list[Finding]:
    rows = quarantine.filter(pl.col(Columns.Reason).is_in(UNDATED))
    new = rows.height - sum(before.quarantined.get(reason, 0) for reason in UNDATED)
    allowed = max(MAX_UNDATED * usual, FEW)
    if new <= allowed:
        return []
    ids = tuple(rows.tail(QUOTED)[Columns.EventId].drop_nulls())
    cause = "clocks ahead of ours, or times in a form that cannot be read"
    remedy = "See them with `recloop quarantine show`; mend the clock or the time's form."
    return [Finding("undated", day, "", new / allowed, new, 0, new, ids, cause, remedy)]


def _lost(items: pl.DataFrame, before: pl.DataFrame, limit: float, day: str) -> list[Finding]:
    lost = before.join(items, on=Columns.Item, how="anti")
    share = lost.height / max(before.height, 1)
    if share <= limit:
        return []
    cause, remedy = "a catalogue that was cut or loaded for another shop", "Load the whole catalogue again."
    return [Finding("lost_items", day, "", share / max(limit, 1e-9), share, 0, lost.height, _ids(lost), cause, remedy)]


def _changed(items: pl.DataFrame, before: pl.DataFrame, limit: float, day: str) -> list[Finding]:
    """Items that are called otherwise: ids given to other products, columns out of step, or another encoding."""
    columns = [c for c in CHANGING if c in items.columns and c in before.columns]
    both = items.select(Columns.Item, *columns).join(
        before.select(Columns.Item, *columns), on=Columns.Item, suffix="_old"
    )
    other = both.filter(pl.any_horizontal(*(pl.col(c).ne_missing(pl.col(f"{c}_old")) for c in columns)))
    share = other.height / max(both.height, 1)
    if share <= limit:
        return []
    cause = "ids given to other products, columns joined out of step, or text read in another encoding"
    remedy = "Compare the catalogue with the last one; raise quality.watch.max_changed_item_share for a real renaming."
    return [
        Finding("changed_items", day, "", share / max(limit, 1e-9), share, 0, other.height, _ids(other), cause, remedy)
    ]


def _ids(items: pl.DataFrame) -> tuple[str, ...]:
    return tuple(items[Columns.Item].sort().head(QUOTED))
