"""Cubes -> figures: one row a day of a calendar without gaps, one column a check."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import REASONS, Columns
from recloop.quality.watch import clocks, shares
from recloop.quality.watch.cubes import Cubes
from recloop.quality.watch.shares import Grid
from recloop.quality.watch.window import BACK, DAY, DAY_SLOTS, ROWS, USERS, number

BY_THE_PAST = ("repeats", "replayed", "price_level", "price_jumps", "price_by_store", "surging_item", "strangers")
"""figures that compare rows with those of earlier days, and mean nothing where the table begins"""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Figures:
    """Figures by day, and which group or hour each one of a group or hour is about."""

    days: NDArray[np.int64]
    """numbers since 1970, none left out"""
    values: dict[str, Values]
    """check -> a value a day; NaN where it cannot be known"""
    about: dict[str, list[str]]
    """check -> the group or hour a day, where the figure is one group's or hour's"""

    @property
    def weekdays(self) -> NDArray[np.int64]:
        """0 is Monday."""
        return (self.days + 3) % 7


def figures(cubes: Cubes, quarantine: pl.DataFrame, *, until: int, zone: str) -> Figures:
    """Cubes and the refused rows -> Figures of every day from the first up to `until`."""
    days = np.arange(int(cubes.days[DAY][0]), until + 1)
    wide = pl.DataFrame({DAY: days.astype(np.int32)}).join(cubes.days, on=DAY, how="left").sort(DAY)
    values = {c: wide[c].cast(pl.Float64).to_numpy().copy() for c in wide.columns if c != DAY}
    for name in (ROWS, USERS):
        values[name] = np.nan_to_num(values[name])
    values["rows_per_user"] = np.where(values[USERS] > 0, values[ROWS] / np.maximum(values[USERS], 1), np.nan)
    mixes, about = _mixes(cubes, days)
    for name in BY_THE_PAST:
        (mixes if name in mixes else values)[name][:BACK] = np.nan
    return Figures(
        days, values | mixes | _refused(quarantine.select(number(zone), Columns.Reason), days, values[ROWS]), about
    )


def _mixes(cubes: Cubes, days: NDArray[np.int64]) -> tuple[dict[str, Values], dict[str, list[str]]]:
    hours = clocks.clock(cubes.hours, days)
    values = {"hour_mix": shares.distance(hours), "hour_shift": clocks.shifted(hours)}
    values["quiet"], start = shares.quiet(hours)
    values["outage"], slot = clocks.longest(clocks.clock(cubes.slots, days, DAY_SLOTS))
    about = {"quiet": [f"from {hour:02d}:00" for hour in start], "outage": [clocks.told(n) for n in slot]}
    for name, cube in (("store", cubes.stores), ("kind", cubes.kinds), ("category", cubes.categories)):
        values[f"{name}_mix"] = shares.distance(Grid.of(cube, days))
        users = Grid.of(cube, days, USERS)
        values[f"silent_{name}"], which = shares.silence(users)
        about[f"silent_{name}"] = [users.keys[n] for n in which]
    values["price_by_store"], which, keys = shares.price_by_group(cubes.stores, days)
    about["price_by_store"] = [keys[n] for n in which]
    return values, about


def _refused(quarantine: pl.DataFrame, days: NDArray[np.int64], rows: Values) -> dict[str, Values]:
    """Refused rows (day, reason) of each reason as a share of the day's; a row without a day of the calendar is in none."""
    dated = quarantine.filter(pl.col(DAY).is_between(int(days[0]), int(days[-1])))
    counts = {reason: np.zeros(len(days)) for reason in REASONS}
    for day, reason, n in dated.group_by(DAY, Columns.Reason).agg(pl.len()).rows():
        counts[reason][day - days[0]] = n
    total = np.maximum(rows + sum(counts.values()), 1)
    return {f"bad_{reason}": found / total for reason, found in counts.items()}
