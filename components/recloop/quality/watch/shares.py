"""Counts by day and group -> figures of how each day's mix differs from the four weeks before it."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaincc

from recloop.quality.watch.window import BACK, DAY, KEY, ROWS

SPANS = (1, 3, 5, 7)
"""days over which a group may be silent"""
QUIET = (1, 2, 3, 6)
"""hours that a gap may last"""
FORTNIGHT = 14
LEAD = BACK + FORTNIGHT
"""days before the first one of which every figure is known"""
LEAST = 8
"""priced rows a shop and day, from which their median is looked at"""

Days = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Counts of each group on each day of a calendar without gaps."""

    keys: tuple[str, ...]
    counts: Values  # [days, groups]

    @classmethod
    def of(cls, cube: pl.DataFrame, days: Days, value: str = ROWS) -> "Grid":
        """A cube's column laid out; a day or group without rows counts 0."""
        keys = sorted(cube[KEY].unique().to_list())
        counts = np.zeros((len(days), len(keys)))
        at = {key: n for n, key in enumerate(keys)}
        rows = cube[DAY].to_numpy() - days[0]
        columns = cube[KEY].replace_strict(at, return_dtype=pl.Int64).to_numpy()
        counts[rows, columns] = np.nan_to_num(cube[value].to_numpy().astype(float))
        return cls(tuple(str(key) for key in keys), counts)

    @property
    def shares(self) -> Values:
        """Of each day's rows; a day without rows has zeros."""
        shares: Values = self.counts / np.maximum(self.counts.sum(1, keepdims=True), 1)  # [days, groups]
        return shares


def trailing(values: Values, back: int = BACK) -> Values:
    """Mean over the `back` days before each day; NaN where there are fewer."""
    sums = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, 0)])  # [days + 1, groups]
    found = np.full(values.shape, np.nan)
    found[back:] = (sums[back:-1] - sums[: -back - 1]) / back
    return found


def usual(grid: Grid) -> Values:
    """Mean shares of the 28 days before, which are 1 in all also where some of those days had no row; NaN before them."""
    mean = trailing(grid.shares)
    return np.asarray(mean / np.where(mean.sum(1) > 0, mean.sum(1), 1.0)[:, None])  # [days, groups]


def distance(grid: Grid) -> Values:
    """Half the sum of differences of the day's shares and the mean shares before: 0 alike, 1 nothing in common."""
    apart = np.abs(grid.shares - usual(grid)).sum(1) / 2  # [days]
    return np.where(grid.counts.sum(1) > 0, apart, np.nan)


def quiet(grid: Grid) -> tuple[Values, NDArray[np.int64]]:
    """The emptiest stretch of each day in standard deviations of a Poisson count -> (deviations, first hour).

    What to expect of the stretch follows from the day's other hours.
    """
    stretches = [np.roll(np.arange(24) < hours, start) for hours in QUIET for start in range(25 - hours)]
    inside = np.stack(stretches, 1).astype(float)  # [hours, stretches]
    had, share = grid.counts @ inside, usual(grid) @ inside  # [days, stretches]
    expected = (grid.counts.sum(1, keepdims=True) - had) * share / np.maximum(1 - share, 0.05)
    lack = (expected - had) / np.sqrt(expected + 1)
    return lack.max(1), inside[:, np.nan_to_num(lack).argmax(1)].argmax(0)


def silence(grid: Grid) -> tuple[Values, NDArray[np.int64]]:
    """-log10 of the chance that a group has so few users, the least likely one of each day -> (that, which group).

    Counts over 1, 3, 5 and 7 days are Poisson, wider where the group varied more in the fortnight before; what to expect
    follows the day's total. Known from the 43rd day on.
    """
    total = grid.counts.sum(1, keepdims=True)
    level = trailing(total)
    worst, dispersion = np.zeros_like(grid.counts), _dispersion(grid.counts)
    for span in SPANS:
        had, mean = _summed(grid.counts, span), _before(trailing(grid.counts), span)
        scale = _summed(total, span) / np.maximum(_before(level, span) * span, 1)
        expected = mean * span * np.minimum(scale, 1.5)
        wide = np.maximum(_before(dispersion, span), 1.0)
        chance = gammaincc(had / wide + 1, np.maximum(expected, 1e-9) / wide)
        worst = np.maximum(worst, np.nan_to_num(-np.log10(np.maximum(chance, 1e-30))))
    worst[:LEAD] = np.nan
    return worst.max(1), np.nan_to_num(worst).argmax(1)


def _summed(values: Values, span: int) -> Values:
    """Sum over the last `span` days with the day itself."""
    sums = np.cumsum(values, 0)
    sums[span:] = sums[span:] - sums[:-span]
    return sums


def _before(values: Values, span: int) -> Values:
    """The value of the day on which the span begins."""
    moved = np.full(values.shape, np.nan)
    moved[span - 1 :] = values[: len(values) - span + 1]
    return moved


def _dispersion(counts: Values) -> Values:
    """Squared deviation from the usual share of the day's total, over what a Poisson count has; mean of a fortnight."""
    total = counts.sum(1, keepdims=True)
    expected = trailing(counts) / np.maximum(trailing(total), 1e-9) * total  # [days, groups]
    excess = (counts - expected) ** 2 / np.maximum(expected, 1.0)
    found = np.full(counts.shape, np.nan)
    found[BACK:] = trailing(excess[BACK:], FORTNIGHT)
    return found


def price_by_group(cube: pl.DataFrame, days: Days) -> tuple[Values, NDArray[np.int64], tuple[str, ...]]:
    """The shop whose prices are furthest from the usual, in root-of-rows units -> (that, which shop, the shops)."""
    off, rows = Grid.of(cube, days, "price_off"), Grid.of(cube, days, "priced")
    far = np.where(rows.counts >= LEAST, np.abs(off.counts) * np.sqrt(rows.counts), 0.0)  # [days, shops]
    return far.max(1), far.argmax(1), off.keys
