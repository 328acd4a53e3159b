"""Figures -> scores: how far each judged day is outside what its history makes likely."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.config.watching import WatchConfig
from recloop.quality.watch.bands import Band, band
from recloop.quality.watch.figures import Figures
from recloop.quality.watch.pack import CHECKS, Check

DEVIATIONS = 4.0
"""standard deviations of a share's sampling that are added to its reach"""
SHARES = ("new_", "odd_", "null_", "bad_", "doubled", "replayed", "price_jumps", "free")
"""checks whose figure is a share of the day's rows"""
FEW = 5
"""rows that never make a finding of a share"""
EPOCH = 719_163
"""proleptic ordinal of 1970-01-01"""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """One check on one day. Outside its limits where `score` is above 1."""

    day: int
    check: str
    score: float
    value: float
    expected: float
    low: float
    high: float


def scores(figures: Figures, *, judged: list[int], config: WatchConfig) -> list[Score]:
    """Every check on every judged day that has 28 days of history; days of the calendar are never learnt from."""
    known = {day.toordinal() - EPOCH for day in config.calendar}
    special = np.isin(figures.days, list(known))
    found = []
    for check in CHECKS.values():
        values = np.log(np.maximum(figures.values[check.name], 0.5)) if check.log else figures.values[check.name]
        learnt = np.where(special, np.nan, values)
        for day in judged:
            at = day - int(figures.days[0])
            if not (check.seasonal and special[at]):
                found += _judged(check, figures, values, learnt, at, config)
    return found


def _judged(
    check: Check, figures: Figures, values: Values, learnt: Values, at: int, config: WatchConfig
) -> list[Score]:
    """At most one score."""
    start = max(0, at - config.history_days)
    limits = band(
        learnt[start:at],
        figures.weekdays[start:at],
        int(figures.weekdays[at]),
        floor=check.floor,
        side=check.side,
        reach=_sampling(check, learnt[start:at], float(figures.values["rows"][at])),
    )
    if limits is None or np.isnan(values[at]):
        return []
    return [_score(check, int(figures.days[at]), float(values[at]), limits, config.sensitivity)]


def _sampling(check: Check, history: Values, rows: float) -> float:
    """Reach that a share of so many rows needs for its sampling alone; 0 for what is no share."""
    if not check.name.startswith(SHARES) or np.isnan(history).all():
        return 0.0
    share = float(np.clip(np.nanmean(history), 0, 1))
    return DEVIATIONS * float(np.sqrt(share * (1 - share) / max(rows, 1))) + FEW / max(rows, 1)


def _score(check: Check, day: int, value: float, limits: Band, sensitivity: float) -> Score:
    reach = limits.reach / sensitivity
    low = -np.inf if check.side == "high" else limits.expected - reach
    high = np.inf if check.side == "low" else limits.expected + reach
    real = (value, limits.expected, low, high)
    value_, expected, low, high = (float(np.exp(x)) if check.log else float(x) for x in real)
    return Score(day, check.name, sensitivity * limits.score(value, check.side), value_, expected, low, high)
