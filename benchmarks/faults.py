"""Planted faults found, and false alarms: the watch over days on two real shops, run day by day.

Limits were chosen on the first half of the first shop's year, with other random numbers; faults are planted into the second
half alone. Clean days of the whole year and of a year of the second shop, on which nothing was chosen, are judged as they come.
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
from scipy.stats import binomtest

from recloop.columns import Columns
from recloop.config import QualityConfig, load
from recloop.config.watching import WatchConfig
from recloop.data.events import reject
from recloop.data.profile import Profile
from recloop.quality.faults.batch import Batch
from recloop.quality.faults.catalogue import FAULTS
from recloop.quality.watch.arrivals import LastCheck
from recloop.quality.watch.findings import Finding, iso
from recloop.quality.watch.watch import Watch, watch
from recloop.quality.watch.window import number
from recloop_pipelines.sets import fetched
from recloop_pipelines.source import collected

CONFIGS = Path(__file__).parents[1] / "configs"
EPOCH = date(1970, 1, 1)
SEED = 2026
WEEKS = 52
LEARNING = 56
"""first days, which only teach"""
PLACES = 2
"""days into which each fault is planted at each strength"""
SILENT = 14
"""days after which a shop that sent nothing was silent in truth"""
STEP = 7
"""clean days that one check judges, each by the days before it"""


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


def shop(scenario: str) -> Shop:
    """A scenario's data whole, with the watch as its YAML has it for a shop that delivers whole days; fetched where public."""
    config = load(CONFIGS / f"{scenario}.yaml")
    if config.data.source == "public" and config.data.events:
        fetched(config.data.events)
    raw, items = collected(config.data.model_copy(update={"until": None}))
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
    moment: datetime = local.dt.replace_time_zone(shop.config.zone).dt.convert_time_zone("UTC")[0]
    return moment


def clean(shop: Shop, days: list[int]) -> tuple[list[Finding], list[Finding]]:
    """Findings of clean days, each judged by the days before it: false ones, and shops that in truth fell silent."""
    found = [f for last in told(days[STEP - 1 :: STEP], "clean weeks") for f in run(shop, last, since=STEP).findings]
    return [f for f in found if not silent(shop, f)], [f for f in found if silent(shop, f)]


def silent(shop: Shop, finding: Finding) -> bool:
    """A shop that is said to be silent also sent nothing in the fortnight after."""
    since = (date.fromisoformat(finding.day) - EPOCH).days
    after = pl.col("day").is_between(since + 1, since + SILENT) & (pl.col(Columns.Store) == finding.about)
    return finding.check == "silent_store" and shop.good.filter(after).is_empty()


def planted(shop: Shop, days: list[int], strengths: slice) -> list[dict[str, Any]]:
    """One row a planted fault: class, strength, day, and what found it; each on a day of its own drawing."""
    plans = [
        (name, strength)
        for name, fault in FAULTS.items()
        for strength in fault.strengths[strengths]
        for _ in range(PLACES)
    ]
    rows = []
    for n, (name, strength) in enumerate(told(plans, "planted faults")):
        rng = np.random.default_rng([SEED, n])
        day = int(rng.choice(days))
        batch = FAULTS[name].plant(delivery(shop, day), strength, rng)
        checks = sorted({f.check for f in run(shop, day, batch).findings})
        rows.append({"class": name, "strength": strength, "day": iso(day), "found_by": checks})
    return rows


def detection(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What was found of what was planted, in all, by class and strength."""
    rates: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        rates[row["class"]][str(row["strength"])].append(bool(row["found_by"]))
    classes = {c: {s: float(np.mean(hits)) for s, hits in by.items()} for c, by in rates.items()}
    hits = sum(bool(row["found_by"]) for row in rows)
    return {
        "injected": len(rows),
        "found": hits,
        "detection_rate": round(hits / len(rows), 4),
        "detection_interval": [round(x, 4) for x in binomtest(hits, len(rows)).proportion_ci(method="wilson")],
        "classes": classes,
        "units": {name: FAULTS[name].unit for name in classes},
        "smallest": {c: smallest(by) for c, by in classes.items()},
        "missed": [{k: r[k] for k in ("class", "strength", "day")} for r in rows if not r["found_by"]],
        "found_by": {c: sorted({x for r in rows if r["class"] == c for x in r["found_by"]}) for c in classes},
    }


def alarms(found: tuple[list[Finding], list[Finding]], days: list[int]) -> dict[str, Any]:
    """Days with a false alarm among the judged ones, a year of daily runs, and every finding in words."""
    false, true = found
    wrong = len({f.day for f in false})
    return {
        "judged_days": len(days),
        "false_alarms": wrong,
        "false_alarms_a_year": round(wrong / len(days) * 365, 2),
        "stopping_alarms": len({f.day for f in false if f.stops}),
        "alarms": [f.sentence for f in false],
        "true_findings": [f.sentence for f in true],
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
    """The whole benchmark; quick: four clean weeks of the first shop, and the middle strength of each fault."""
    year = shop("retail")
    every = list(range(year.first + LEARNING, year.first + WEEKS * 7))
    days = every[-28:] if quick else every
    found = clean(year, days)
    loud = {f.day for kind in found for f in kind} | {str(day) for day in year.config.calendar}
    usable = [day for day in every if iso(day) not in loud and day >= year.first + WEEKS * 7 // 2]
    rows = planted(year, usable, slice(1, 2) if quick else slice(None))
    whole = {"data": "The Complete Journey", **alarms(found, days), **detection(rows)}
    return whole if quick else whole | {"second_shop": second()}


def second() -> dict[str, Any]:
    """The last 52 weeks of Online Retail II as they came: nobody knows which of its days are clean."""
    other = shop("shop")
    last = int(other.good["day"][-1])
    days = list(range(last - WEEKS * 7 + 1, last + 1))
    return {"data": "Online Retail II", **alarms(clean(other, days), days)}


def main() -> None:
    """Run and report."""
    asked = parser(__doc__ or "").parse_args()
    found = measured(quick=asked.quick)
    given(found, asked, lambda: Console().print(table(found)))


if __name__ == "__main__":
    main()
