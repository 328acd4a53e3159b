"""What the history makes likely for a figure on a day: robust, by weekday, following the last four weeks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAD = 1.4826
"""median absolute deviation -> standard deviation of a normal distribution"""
WIDTHS = 5.0
"""robust standard deviations that a limit is away"""
TAIL = 1.5
"""a limit is also this many times as far as the 95 % of the history that are nearest"""
LEARNT = 28
"""days without which nothing is judged"""
RECENT = 28

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
    history: Values, weekdays: NDArray[np.int64], weekday: int, *, floor: float, reach: float = 0.0
) -> Band | None:
    """A figure's history with its weekdays -> Band of a day of `weekday`; None where fewer than 28 days are known.

    `floor`: no limit is nearer. `reach`: of the figure's own sampling, independent of the days' spread (variances add).
    NaN is unknown.
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
    off = np.abs(level - np.median(level))
    spread = max(WIDTHS * MAD * float(np.median(off)), TAIL * float(np.quantile(off, 0.95)))
    return Band(expected=centre + float(effect[weekday]), reach=float(np.hypot(max(spread, floor), reach)))
