"""What the history makes likely for a figure on a day: robust, by weekday, following the last four weeks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAD = 1.4826
"""median absolute deviation -> standard deviation of a normal distribution"""
WIDTHS = 5.0
"""robust standard deviations that a limit is away"""
TAIL = 0.1
"""share of the history, the days furthest off on the side that counts, from which its tail is read"""
RARE = 1e-3
"""chance of such a day, were the tail exponential; nearer than five deviations where it is a normal distribution's"""
LEARNT = 28
"""days without which nothing is judged"""
RECENT = 28
FRESH = 7
"""newest days that the width is not learnt from, so that a fault that lasts does not widen its own limits"""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """What to expect of a figure, and how far it may be from that."""

    expected: float
    reach: float

    def score(self, value: float, side: str) -> float:
        """Distance over reach: above 1 is outside. `side`: high, low or both."""
        off = (value - self.expected) / self.reach
        return max(off, 0.0) if side == "high" else max(-off, 0.0) if side == "low" else abs(off)


def band(
    history: Values, weekdays: NDArray[np.int64], weekday: int, *, floor: float, side: str = "both", reach: float = 0.0
) -> Band | None:
    """A figure's history with its weekdays -> Band of a day of `weekday`; None where fewer than 28 days are known.

    `floor`: no limit is nearer. `side`: high or low, for a figure of which only such days count.
    `reach`: of the figure's own sampling, independent of the days' spread (variances add). NaN is unknown.
    """
    known = ~np.isnan(history)
    history, weekdays = history[known], weekdays[known]
    if len(history) < LEARNT:
        return None
    effect = np.zeros(7)
    middle = float(np.median(history))
    for day in range(7):
        of_day = history[weekdays == day]
        effect[day] = np.median(of_day) - middle if len(of_day) >= 4 else 0.0
    level = history - effect[weekdays]
    centre = float(np.median(level[-RECENT:]))
    learnt = level[:-FRESH]
    off = _off(learnt, side)
    spread = max(WIDTHS * MAD * float(np.median(off)), tail(off, len(learnt)))
    return Band(expected=centre + float(effect[weekday]), reach=float(np.hypot(max(spread, floor), reach)))


def _off(level: Values, side: str) -> Values:
    """How far days were from the middle, of those on a side: a skewed figure is not judged by its other one."""
    off = level - np.median(level)
    of_side = off[off >= 0] if side == "high" else off[off <= 0] if side == "low" else off
    return np.abs(of_side)


def tail(off: Values, days: int) -> float:
    """Deviations of a history of so many days, of a side -> what a day exceeds with a chance of 1 in 1,000, were it exponential.

    Peaks over a threshold, whose mean excess is read from the median, so that single wild days do not move it; a normal
    distribution gives 3.7 standard deviations. Coles, An Introduction to Statistical Modeling of Extreme Values (2001), 4.3.
    """
    ordered = np.sort(off)
    threshold, *beyond = ordered[-1 - round(TAIL * days) :]
    mean = (np.median(beyond) - threshold) / np.log(2)
    return float(threshold + mean * np.log(TAIL / RARE))
