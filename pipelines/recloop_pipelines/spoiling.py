"""A fault for the demo: the tills of one day send cents. It is planted, refused by the check, and mended."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from recloop.config import Config
from recloop.errors import Stopped
from recloop_pipelines import quarantine
from recloop_pipelines.settings import settings

if TYPE_CHECKING:
    import polars as pl

CENTS = 100.0
CHECK = "price_level"
"""check that finds a day whose prices are in another unit"""


def last_whole_day(config: Config, end: datetime) -> date:
    """The last day, in the customers' zone, that has wholly passed at `end`."""
    return end.astimezone(ZoneInfo(config.quality.watch.zone)).date() - timedelta(days=1)


def in_cents(events: "pl.DataFrame", day: date, *, zone: str) -> "pl.DataFrame":
    """Events -> the same with the prices of one day, in that zone, in cents."""
    import polars as pl

    spoilt = pl.col("time").dt.convert_time_zone(zone).dt.date() == day
    return events.with_columns(price=pl.col("price") * pl.when(spoilt).then(CENTS).otherwise(1.0))


def refused(config: Config, day: date) -> quarantine.Case:
    """The case in which the check set the day aside. Raises Stopped where it found nothing of the kind."""
    key = f"{CHECK} {day}"
    for found in reversed(quarantine.cases(config)):
        if any(_key(finding) == key for finding in found.findings):
            return found
    raise Stopped(
        f"The check failed, but no case of {config.scenario} has the finding {key!r} that was planted. Look at `recloop "
        f"quarantine list {config.scenario}`."
    )


def mended(config: Config, case: quarantine.Case, day: date) -> int:
    """Convert the day's prices back and give the rows to the next check -> how many."""
    import polars as pl

    rows = case.concerned.filter(pl.col("finding") == f"{CHECK} {day}").with_columns(pl.col("price") / CENTS)
    path = repaired_file(day)
    rows.write_parquet(path)
    return quarantine.repair(config, path)


def repaired_file(day: date) -> Path:
    """Where the repaired rows lie."""
    return settings().folder / f"repaired-{day}.parquet"


def _key(finding: dict[str, Any]) -> str:
    return f"{finding['check']} {finding['day']}"
