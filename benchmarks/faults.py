"""Planted faults found, and false alarms: the watch over days on a year of real purchases, run day by day.

The year is cut in halves of 26 weeks. The limits of the watch were set on the first; both are reported.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from contract import given, parser
from rich.console import Console
from rich.progress import track
from rich.table import Table

from recloop.columns import Columns
from recloop.config import QualityConfig, load
from recloop.config.watching import WatchConfig
from recloop.data.events import reject
from recloop.data.profile import Profile
from recloop.data.sources.collect import collect
from recloop.quality.faults.batch import Batch
from recloop.quality.faults.catalogue import FAULTS
from recloop.quality.watch.arrivals import LastCheck
from recloop.quality.watch.findings import Finding
from recloop.quality.watch.watch import Watch, watch
from recloop.quality.watch.window import number

CONFIG = Path(__file__).parents[1] / "configs" / "retail.yaml"
EPOCH = date(1970, 1, 1)
SEED = 7
WEEKS = 52
LEARNING = 56
"""first days, which only teach"""
PLACES = 1
"""days of each half into which each fault is planted at each strength"""
SILENT = 14
"""days after which a shop that sent nothing was silent in truth"""
STEP = 7
"""clean days that one check judges: each of them by itself, against the days before it"""


@dataclass(frozen=True)
class Shop:
    """A year of clean deliveries."""

    raw: pl.DataFrame
    """as read, with its local day"""
    good: pl.DataFrame
    quarantine: pl.DataFrame
    items: pl.DataFrame
    quality: QualityConfig
    first: int

    @property
    def config(self) -> WatchConfig:
        return self.quality.watch


def shop() -> Shop:
    """The Complete Journey whole, with the watch as configs/retail.yaml has it for a shop that delivers whole days."""
    config = load(CONFIG)
    raw, items = collect(config.data.model_copy(update={"until": None}))
    good, quarantine = reject(raw, items, config=config.quality, now=datetime(2020, 1, 1, tzinfo=UTC))
    day = number(config.quality.watch.zone)
    good, raw = (frame.sort(Columns.Time, Columns.EventId).with_columns(day) for frame in (good, raw))
    judging = config.quality.watch.model_copy(update={"partial_day": "judge"})
    quality = config.quality.model_copy(update={"watch": judging})
    return Shop(raw, good, quarantine.with_columns(day), items, quality, int(good["day"][0]))


def run(shop: Shop, day: int, batch: Batch | None = None, *, since: int = 1) -> Watch:
    """The check of the delivery of the last day, or days, after clean ones of every day before."""
    planted = batch or delivery(shop, day)
    fresh, refused = reject(planted.events, planted.items, config=shop.quality, now=end(shop, day))
    good = pl.concat([upto(shop.good, day - 7).drop("day"), fresh])
    quarantine = pl.concat([shop.quarantine.filter(pl.col("day") < day - 6).drop("day"), refused])
    return watch(
        good, quarantine, planted.items, config=shop.config, now=end(shop, day), previous=checked(shop, day - since)
    )


def upto(frame: pl.DataFrame, day: int) -> pl.DataFrame:
    """Rows up to a day, of a frame in the order of time."""
    return frame.head(int(frame["day"].search_sorted(day, side="right")))


def delivery(shop: Shop, day: int) -> Batch:
    """The last seven days as they came."""
    rows = upto(shop.raw, day).filter(pl.col("day") > day - 7).drop("day")
    return Batch(rows, shop.items, end(shop, day) - timedelta(days=1))


def checked(shop: Shop, day: int) -> LastCheck:
    """What the check of a clean day leaves for the next."""
    good = upto(shop.good, day)
    refused = shop.quarantine.filter(pl.col("day") <= day)[Columns.Reason].value_counts()
    blank: dict[str, Any] = dict.fromkeys(Profile.__dataclass_fields__, 0)
    known = {
        "good": good.height,
        "quarantined": dict(refused.rows()),
        "last": good[Columns.Time][-1].isoformat(),
        "recent_events_a_day": good.filter(pl.col("day") > day - 28).height / 28,
    }
    return LastCheck(Profile(**blank | known), shop.items, day)


def end(shop: Shop, day: int) -> datetime:
    """The moment at which a local day ends."""
    local = pl.Series([EPOCH + timedelta(days=day + 1)]).cast(pl.Datetime("us"))
    return local.dt.replace_time_zone(shop.config.zone).dt.convert_time_zone("UTC")[0]


def clean(shop: Shop, days: list[int]) -> tuple[list[Finding], list[Finding]]:
    """Findings of clean days: false ones, and those of shops that in truth fell silent."""
    found = [f for last in told(days[STEP - 1 :: STEP], "clean weeks") for f in run(shop, last, since=STEP).findings]
    return [f for f in found if not silent(shop, f)], [f for f in found if silent(shop, f)]


def silent(shop: Shop, finding: Finding) -> bool:
    """A shop that is said to be silent also sent nothing in the fortnight after."""
    since = (date.fromisoformat(finding.day) - EPOCH).days
    after = pl.col("day").is_between(since + 1, since + SILENT) & (pl.col(Columns.Store) == finding.about)
    return finding.check == "silent_store" and shop.good.filter(after).is_empty()


def planted(shop: Shop, days: dict[str, list[int]], strengths: slice) -> list[dict[str, Any]]:
    """One row a planted fault: class, strength, half, day, and what found it; each on a day of its own drawing."""
    plans = [
        (name, strength, half)
        for name, fault in FAULTS.items()
        for strength in fault.strengths[strengths]
        for half in days
        for _ in range(PLACES)
    ]
    rows = []
    for n, (name, strength, half) in enumerate(told(plans, "planted faults")):
        rng = np.random.default_rng([SEED, n])
        day = int(rng.choice(days[half]))
        batch = FAULTS[name].plant(delivery(shop, day), strength, rng)
        checks = sorted({f.check for f in run(shop, day, batch).findings})
        when = str(EPOCH + timedelta(days=day))
        rows.append({"class": name, "strength": strength, "half": half, "day": when, "found_by": checks})
    return rows


def report(
    rows: list[dict[str, Any]], alarms: tuple[list[Finding], list[Finding]], days: list[int], middle: int
) -> dict[str, Any]:
    """The JSON object."""
    rates: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    halves: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        rates[row["class"]][str(row["strength"])].append(bool(row["found_by"]))
        halves[row["half"]].append(bool(row["found_by"]))
    classes = {c: {s: float(np.mean(hits)) for s, hits in by.items()} for c, by in rates.items()}
    false, true = alarms
    early = sorted({f.day for f in false if f.day < str(EPOCH + timedelta(days=middle))})
    return {
        "data": "The Complete Journey",
        "injected": len(rows),
        "detection_rate": round(float(np.mean([bool(r["found_by"]) for r in rows])), 4),
        "detection_by_half": {half: round(float(np.mean(hits)), 4) for half, hits in halves.items()},
        "judged_days": len(days),
        "learning_days": LEARNING,
        "false_alarms": len({f.day for f in false}),
        "false_alarms_by_half": {"first": len(early), "second": len({f.day for f in false}) - len(early)},
        "alarms": [f.sentence for f in false],
        "true_findings": [f.sentence for f in true],
        "classes": classes,
        "units": {name: FAULTS[name].unit for name in classes},
        "smallest": {c: smallest(by) for c, by in classes.items()},
        "missed": [{k: r[k] for k in ("class", "strength", "day")} for r in rows if not r["found_by"]],
        "found_by": {c: sorted({x for r in rows if r["class"] == c for x in r["found_by"]}) for c in classes},
    }


def smallest(rates: dict[str, float]) -> float | None:
    """The weakest strength from which on every planted fault was found."""
    found = None
    for strength, rate in reversed(rates.items()):
        if rate < 1:
            break
        found = float(strength)
    return found


def told(what: Any, name: str) -> Any:
    return track(what, description=name, console=Console(stderr=True))


def table(found: dict[str, Any]) -> Table:
    shown = Table(
        "fault",
        "strength: found",
        "unit",
        title=f"{found['detection_rate']:.1%} of {found['injected']} found, "
        f"{found['false_alarms']} false alarms in {found['judged_days']} days",
        box=None,
    )
    for name, rates in found["classes"].items():
        shown.add_row(name, "  ".join(f"{s}: {r:.0%}" for s, r in rates.items()), found["units"][name])
    return shown


def measured(*, quick: bool) -> dict[str, Any]:
    """The whole benchmark; quick: four clean weeks, and the middle strength of each fault in the second half."""
    year = shop()
    every = list(range(year.first + LEARNING, year.first + WEEKS * 7))
    middle = year.first + WEEKS * 7 // 2
    days = every[-4 * STEP :] if quick else every
    alarms = clean(year, days)
    known = {(day - EPOCH).days for day in year.config.calendar}
    loud = {(date.fromisoformat(f.day) - EPOCH).days for found in alarms for f in found}
    usable = [day for day in every if day not in known and day not in loud]
    halves = {"first": [d for d in usable if d < middle], "second": [d for d in usable if d >= middle]}
    if quick:
        halves.pop("first")
    return report(planted(year, halves, slice(1, 2) if quick else slice(None)), alarms, days, middle)


def main() -> None:
    """Run and report."""
    asked = parser(__doc__ or "").parse_args()
    found = measured(quick=asked.quick)
    given(found, asked, lambda: Console().print(table(found)))


if __name__ == "__main__":
    main()
