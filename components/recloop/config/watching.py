"""Section of the watch over days: what is judged against the history, and what a finding does."""

from datetime import date
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from recloop.config.section import Section


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone, such as Europe/Berlin or UTC")
    return name


class WatchConfig(Section):
    """quality.watch: each new day against what the days before make likely."""

    enabled: bool = True
    act: Literal["stop", "warn"] = "stop"
    """stop: a finding fails the check, so that what serves goes on serving, but for a shop or department that fell silent;
    warn: every finding is only reported"""
    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """in which the customers live: days and hours are its, so that a change to summer time is none of the data's"""
    history_days: int = Field(84, ge=28)
    """days before a judged day from which its limits are learnt; under 28 nothing is judged by the history"""
    partial_day: Literal["wait", "judge"] = "wait"
    """a newest day that ends hours before the others did: wait for the rest of it, or judge it. Shops that deliver whole days
    judge; the first check always waits"""
    first_days: int = Field(7, ge=0)
    """newest days that are judged where no table was checked before"""
    min_events_a_day: int = Field(200, gt=0)
    """a shop with fewer (the median day) is not judged by the day"""
    sensitivity: float = Field(1.0, gt=0)
    """learnt limits are divided by it: 2 finds changes half as large and alarms more often"""
    max_late_share: float = Field(0.005, ge=0, le=1)
    """rows that arrived dated before the last check, as a share of a usual day"""
    max_lost_item_share: float = Field(0.02, ge=0, le=1)
    """of the catalogue of the last check"""
    max_changed_item_share: float = Field(0.02, ge=0, le=1)
    """items whose category or title is another than at the last check"""
    calendar: dict[date, str] = Field(default_factory=dict)
    """days that are known to be unlike others, such as holidays: not judged by volume and mix, never learnt from"""
