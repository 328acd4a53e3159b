"""What a release recommends from day to day, and whether that has moved beyond what its own season makes likely."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.feedback.attribution import shown
from recloop.quality.watch.bands import band
from recloop.quality.watch.shares import Grid, distance

Item, Position = Columns.Item, Columns.Position
DAY, KEY, ROWS = "day", "key", "rows"
LEADING = 10
"""items shown most, whose share is the concentration"""
PERSISTS = 3
"""of the newest seven days: a figure outside its limits on so many has moved"""
WEEK = 7
FLOORS = {"entropy": 0.1, "leading": 0.03, "cold": 0.02, "category_mix": 0.05, "miscalibration": 0.05, "first": 0.1}
"""figure -> the least move that counts, in its unit"""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Moved:
    """One figure that was outside its limits on several of the newest seven days."""

    figure: str
    days: int
    value: float
    """of the newest of those days"""
    expected: float

    @property
    def sentence(self) -> str:
        """The move in words."""
        return f"{self.figure} was outside its limits on {self.days} of 7 days ({self.value:.3g}, {self.expected:.3g} expected)"


@dataclass(frozen=True)
class Recommended:
    """table: day, then a column a figure; null where a day cannot tell. judged: days that had 28 before them."""

    table: pl.DataFrame
    judged: int
    moved: tuple[Moved, ...]

    def save(self, path: Path) -> None:
        """Write canonical JSON, figures to six digits."""
        rows = [{k: _plain(v) for k, v in row.items()} for row in self.table.iter_rows(named=True)]
        body = {"days": rows, "judged": self.judged, "moved": [asdict(m) for m in self.moved]}
        path.write_text(json.dumps(body, sort_keys=True, indent=1, allow_nan=False) + "\n")


def recommended(
    answers: pl.DataFrame, attributed: pl.DataFrame, events: pl.DataFrame, items: pl.DataFrame, known: pl.Series
) -> Recommended:
    """Answers of one release, purchases credited to them, events and the catalogue -> Recommended.

    `known`: items that anybody took before. Days are those of UTC. Figures: entropy of the shown items (nats: coverage),
    share of the ten shown most (concentration), share of items nobody took before (cold), distance of their departments
    from those of four weeks before (category_mix) and from those bought the same day (miscalibration, after Steck,
    Calibrated Recommendations, RecSys 2018), share of the credited purchases at the first position (first: position bias),
    median score of the first item (score: predictions).
    """
    if answers.is_empty():
        return Recommended(pl.DataFrame(schema={DAY: pl.Date()}), 0, ())
    each = shown(answers).with_columns(_day())
    parts = [_variety(each), _cold(each, known), _first(attributed), _scores(answers), _mixes(each, events, items)]
    table = each.select(DAY).unique()
    for part in parts:
        table = table.join(part, on=DAY, how="left")
    return _judged(table.sort(DAY).upsample(DAY, every="1d"))


def _day() -> pl.Expr:
    return pl.col(Columns.Time).dt.date().alias(DAY)


def _variety(each: pl.DataFrame) -> pl.DataFrame:
    counts = each.group_by(DAY, Item).agg(pl.len().alias("n"))
    share = pl.col("n") / pl.col("n").sum()
    return counts.group_by(DAY).agg(
        share.entropy(base=np.e).alias("entropy"), share.top_k(LEADING).sum().alias("leading")
    )


def _cold(each: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    return each.group_by(DAY).agg((~pl.col(Item).is_in(known.unique().implode())).mean().alias("cold"))


def _first(attributed: pl.DataFrame) -> pl.DataFrame:
    hits = attributed.filter(pl.col(Position).is_not_null())
    return hits.group_by(pl.col("answered").dt.date().alias(DAY)).agg((pl.col(Position) == 1).mean().alias("first"))


def _scores(answers: pl.DataFrame) -> pl.DataFrame:
    return answers.group_by(_day()).agg(pl.col("scores").list.first().median().alias("score"))


def _mixes(each: pl.DataFrame, events: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    bought = events.filter(pl.col(Columns.Event) == "purchase").with_columns(_day())
    there, here = _departments(bought, items), _departments(each, items)
    numbers = here[DAY].to_numpy()
    first, last = int(numbers.min()), int(numbers.max())
    days = np.arange(first, last + 1)
    both = here.join(there, on=[DAY, KEY], how="full", coalesce=True).fill_null(0)
    within = both.filter(pl.col(DAY).is_between(first, last))
    given, taken = (Grid.of(within, days, column) for column in (ROWS, f"{ROWS}_right"))
    apart = np.where(taken.counts.sum(1) > 0, np.abs(given.shares - taken.shares).sum(1) / 2, np.nan)
    found = pl.DataFrame({DAY: days, "category_mix": distance(given), "miscalibration": apart}).fill_nan(None)
    return found.with_columns(pl.col(DAY).cast(pl.Int32).cast(pl.Date))


def _departments(rows: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    widest = pl.col(Columns.Category).cast(pl.String).str.split(" > ").list.first().fill_null("").alias(KEY)
    named = rows.select(pl.col(DAY).to_physical(), Item).join(
        items.select(Item, widest).unique(Item), on=Item, how="left"
    )
    return named.with_columns(pl.col(KEY).fill_null("")).group_by(DAY, KEY).agg(pl.len().alias(ROWS))


def _judged(table: pl.DataFrame) -> Recommended:
    weekdays = table[DAY].dt.weekday().to_numpy().astype(np.int64) - 1
    outside: list[Moved] = []
    judged = 0
    for name in (*FLOORS, "score"):
        values = table[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        found = [_far(values, weekdays, at, FLOORS.get(name)) for at in range(max(0, len(values) - WEEK), len(values))]
        judged = max(judged, sum(one is not None for one in found))
        far = [one for one in found if one is not None and one[2]]
        if len(far) >= PERSISTS:
            outside.append(Moved(name, len(far), far[-1][0], far[-1][1]))
    return Recommended(table, judged, tuple(outside))


def _far(values: Values, weekdays: NDArray[np.int64], at: int, floor: float | None) -> tuple[float, float, bool] | None:
    """Value, what was expected and whether it is outside; None where the day or the history cannot tell.

    Without a floor of its own a figure moves by at least a twentieth of its size.
    """
    least = 0.05 * float(np.nanmedian(np.abs(values))) + 1e-9 if floor is None else floor
    limits = band(values[:at], weekdays[:at], int(weekdays[at]), floor=least)
    if limits is None or np.isnan(values[at]):
        return None
    return float(values[at]), limits.expected, limits.score(float(values[at]), "both") > 1


def _plain(value: object) -> object:
    return float(f"{value:.6g}") if isinstance(value, float) else value if value is None else str(value)
