"""A finding: which rows of which day are unlike the history, why that may be, and what to do."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from recloop.columns import Columns
from recloop.quality.watch.pack import CHECKS
from recloop.quality.watch.scores import Score
from recloop.quality.watch.window import DAY, HOUR, JUMP, number

QUOTED = 5
"""event ids that a finding quotes"""
EPOCH = date(1970, 1, 1)
MINUTE = ("u", "i", Columns.Event, DAY)


@dataclass(frozen=True)
class Finding:
    """One check that one day fails."""

    check: str
    day: str
    """ISO 8601"""
    about: str
    """the shop, department, kind or hour; empty where the finding is about the day"""
    score: float
    """distance from what was expected, in reaches; above 1"""
    value: float
    expected: float
    rows: int
    """rows concerned; where rows are missing, those that came"""
    examples: tuple[str, ...]
    """event ids"""
    cause: str
    remedy: str
    stops: bool = True
    """fails the check where quality.watch.act is stop"""

    @property
    def key(self) -> str:
        """Names the finding when a person lets it pass: 'check day'."""
        return f"{self.check} {self.day}"

    @property
    def sentence(self) -> str:
        """The finding in words."""
        what = f"{self.check} ({self.about})" if self.about else self.check
        return (
            f"{self.day} {what}: {_told(self.value)} where {_told(self.expected)} was expected, {self.rows:,} rows"
            f"{' such as ' + self.examples[0] if self.examples else ''}. Likely {self.cause}. {self.remedy}"
        )

    def facts(self) -> dict[str, Any]:
        """For JSON; figures to six digits, so that equal input gives equal bytes on every machine."""
        return asdict(self) | {name: float(f"{getattr(self, name):.6g}") for name in ("score", "value", "expected")}


def _told(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def iso(day: int) -> str:
    """Number of a day -> its date."""
    return (EPOCH + timedelta(days=day)).isoformat()


def finding(score: Score, about: str, rows: pl.DataFrame) -> Finding:
    """A score above 1 and the rows that it is about -> Finding."""
    check = CHECKS[score.check]
    return Finding(
        check=check.name,
        day=iso(score.day),
        about=about,
        score=score.score,
        value=score.value,
        expected=score.expected,
        rows=rows.height,
        examples=tuple(rows[Columns.EventId].drop_nulls().sort().head(QUOTED)),
        cause=check.cause,
        remedy=check.remedy,
        stops=check.stops,
    )


def concerned(score: Score, about: str, window: pl.DataFrame, quarantine: pl.DataFrame, *, zone: str) -> pl.DataFrame:
    """The rows that a finding is about: those of the day that show it, else all of the day."""
    if score.check.startswith("bad_"):
        reason = pl.col(Columns.Reason) == score.check.removeprefix("bad_")
        return quarantine.filter(reason & (number(zone) == score.day).fill_null(False))
    rows = window.filter(pl.col(DAY) == score.day)
    name = score.check
    if name == "replayed":
        before = window.filter(pl.col(DAY) < score.day).select("u", "i", "second").unique()
        return rows.join(before, on=["u", "i", "second"], how="semi")
    if name.startswith(("new_", "odd_")):
        column = name.split("_", 1)[1]
        return rows.join(window.filter(pl.col(DAY) < score.day).select(column).unique(), on=column, how="anti")
    return rows.filter(_shows(name, about, rows)) if rows.height else rows


def _shows(name: str, about: str, rows: pl.DataFrame) -> pl.Expr:
    """True for the rows of the day that show what the check found."""
    if name.startswith("null_"):
        return pl.col(name.removeprefix("null_")).is_null()
    group = {"silent_store": Columns.Store, "price_by_store": Columns.Store, "silent_kind": Columns.Event}
    group |= {"silent_category": Columns.Category}
    if name in group:
        return pl.col(group[name]).fill_null("") == about
    shown = {
        "doubled": pl.struct(*MINUTE, pl.col("second") // 60).is_duplicated(),
        "price_jumps": pl.col("off").abs() > JUMP,
        "free": pl.col(Columns.Price) == 0,
        "busiest_user": pl.col("u") == _most(rows, "u", pl.len()),
        "busiest_moments": pl.col("u") == _most(rows, "u", pl.col("second").n_unique()),
        "surging_item": pl.col("i") == _most(rows, "i", pl.len()),
        "top_item": pl.col("i") == _most(rows, "i", pl.len()),
    }
    if name == "quiet":
        return pl.col(HOUR) == int(about[5:7])
    return shown.get(name, pl.lit(True))


def _most(rows: pl.DataFrame, code: str, by: pl.Expr) -> pl.Expr:
    """The id with the most of something."""
    return pl.lit(rows.group_by(code).agg(by.alias("n")).sort("n", code).row(-1)[0], pl.UInt64)
