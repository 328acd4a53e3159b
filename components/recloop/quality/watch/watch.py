"""checked rows -> Watch: each new whole day judged against the days before it."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from recloop.config.watching import WatchConfig
from recloop.data.events import READ_SCHEMA
from recloop.data.profile import Profile
from recloop.quality.watch.arrivals import LastCheck, arrivals
from recloop.quality.watch.cubes import cubes
from recloop.quality.watch.figures import Figures, figures
from recloop.quality.watch.findings import Finding, concerned, finding, iso
from recloop.quality.watch.scores import Score, scores
from recloop.quality.watch.shares import LEAD
from recloop.quality.watch.window import DAY, ROWS, number, seen, window

FINDING = "finding"
ROWS_SCHEMA = pl.Schema({**READ_SCHEMA, FINDING: pl.String()})


@dataclass(frozen=True)
class Watch:
    """What the watch saw."""

    days: tuple[int, ...]
    """the judged days, numbers since 1970"""
    until: int | None
    """the last day that was judged, now or before; None where none ever was"""
    note: str
    """why nothing was judged, or what was left out; empty otherwise"""
    scores: tuple[Score, ...] = ()
    findings: tuple[Finding, ...] = ()
    """outside what was expected, and not let pass"""
    passed: tuple[Finding, ...] = ()
    """outside, and let pass by a person"""
    rows: pl.DataFrame = field(default_factory=ROWS_SCHEMA.to_frame)
    """the rows of each finding, with its key"""

    def save(self, path: Path) -> None:
        """Write canonical JSON: days, findings, what was let pass."""
        body = {
            "days": [iso(day) for day in self.days],
            "until": self.until,
            "note": self.note,
            "findings": [f.facts() for f in self.findings],
            "passed": [f.facts() for f in self.passed],
        }
        path.write_text(json.dumps(body, sort_keys=True, indent=1) + "\n")


def before(folder: Path) -> LastCheck | None:
    """Folder of a checked artefact -> what it let pass; None where it was made before there was a watch."""
    if not (folder / "watch.json").is_file():
        return None
    until = json.loads((folder / "watch.json").read_text())["until"]
    profile = Profile.load(folder / "profile.json")
    return None if until is None else LastCheck(profile, pl.read_parquet(folder / "items.parquet"), int(until))


def watch(
    good: pl.DataFrame,
    quarantine: pl.DataFrame,
    items: pl.DataFrame,
    *,
    config: WatchConfig,
    now: datetime,
    previous: LastCheck | None,
    allowed: Collection[str] = (),
) -> Watch:
    """Judged rows, sorted by time -> Watch of the whole days since the last one that was judged.

    A day is whole when it has ended at `now`; rows after the table's last day are not missed here. `allowed`: keys of
    findings that a person let pass.
    """
    until = previous.until if previous else None
    if not config.enabled or good.is_empty():
        return Watch((), until, "quality.watch is off" if good.height else "there is no good row")
    first, last = _ends(good, config.zone)
    last = min(last, _today(now, config.zone) - 1)
    start = max(until + 1 if until is not None else last - config.first_days + 1, first)
    if last < start:
        return Watch((), until, "no day has ended since the last check")
    rows = window(good, items, since=start - config.history_days - LEAD, zone=config.zone).filter(pl.col(DAY) <= last)
    usual = float(np.median(rows.group_by(DAY).agg(pl.len().alias(ROWS))[ROWS].to_numpy()))
    if usual < config.min_events_a_day:
        return Watch(
            (), until, f"{usual:,.0f} events a day are too few to judge days; the watch needs {config.min_events_a_day}"
        )
    found = figures(cubes(rows, seen(good, zone=config.zone)), quarantine, until=last, zone=config.zone)
    judged, note = _judged(found, start, last, config, waits=previous is None or config.partial_day == "wait")
    every = scores(found, judged=judged, config=config)
    outside = [(_about(s, found), s) for s in every if s.score > 1]
    shown = [(about, s, concerned(s, about, rows, quarantine, zone=config.zone)) for about, s in outside]
    findings = [finding(s, about, which) for about, s, which in shown]
    if previous is not None and judged:
        findings += arrivals(good, quarantine, items, previous, config=config, day=iso(judged[-1]))
    return Watch(
        tuple(judged),
        judged[-1] if judged else until,
        note,
        tuple(every),
        tuple(f for f in findings if f.key not in allowed),
        tuple(f for f in findings if f.key in allowed),
        _rows([(f.key, which) for f, (_, _, which) in zip(findings, shown, strict=False)]),
    )


def _rows(shown: list[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    named = [rows.with_columns(pl.lit(key).alias(FINDING)) for key, rows in shown]
    empty = ROWS_SCHEMA.to_frame()
    return pl.concat([empty, *named], how="diagonal").select(empty.columns) if named else empty


def _ends(good: pl.DataFrame, zone: str) -> tuple[int, int]:
    """First and last day."""
    ends = pl.concat([good.head(1), good.tail(1)]).select(number(zone)).to_series()
    return int(ends[0]), int(ends[1])


def _today(now: datetime, zone: str) -> int:
    return int(pl.DataFrame({"time": [now]}, schema={"time": pl.Datetime("us", "UTC")}).select(number(zone)).item())


def _judged(found: Figures, start: int, last: int, config: WatchConfig, *, waits: bool) -> tuple[list[int], str]:
    """Days to judge. Where the watch waits, a newest day that ends early is left to the next check, and that is said."""
    judged = list(range(start, last + 1))
    if waits and any(s.check == "last" and s.score > 1 for s in scores(found, judged=[last], config=config)):
        return judged[:-1], f"{iso(last)} ends early and waits for the next check"
    return judged, ""


def _about(score: Score, found: Figures) -> str:
    about = found.about.get(score.check)
    return about[score.day - int(found.days[0])] if about else ""
