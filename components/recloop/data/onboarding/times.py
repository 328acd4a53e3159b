"""A column's values -> how they are times: ISO 8601, since the epoch, or of a form that must be named."""

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from recloop.data.reading import OFFSET, Form, moment
from recloop.errors import BadData

HOURS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y")
FORMS = (
    *(day + hour for day in DAYS for hour in HOURS),
    *("%Y-%m-%d" + hour for hour in HOURS[3:]),
    *("%Y%m%d", "%Y%m%d%H%M%S", "%d %b %Y", "%b %d, %Y", "%b %d, %Y %I:%M %p", "%d/%b/%Y:%H:%M:%S %z"),
    "%a, %d %b %Y %H:%M:%S %z",
)
FIRST, LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""times outside are taken for something else"""
ENOUGH = 0.5
"""share of values that must be times"""


@dataclass(frozen=True)
class TimeGuess:
    """form: strftime, empty where none is needed. zoned: the values name their zone. words: for people."""

    form: str
    zoned: bool
    share: float
    words: str


def guess_time(values: pl.Series) -> TimeGuess | None:
    """Values of a column -> how they are times; None where they are none.

    Raises BadData where days and months cannot be told apart: every value fits both orders, and neither is ascending.
    """
    held = values.drop_nulls()
    if held.is_empty() or held.dtype == pl.Boolean:
        return None
    if held.dtype.is_temporal():
        zoned = isinstance(held.dtype, pl.Datetime) and held.dtype.time_zone is not None
        return None if held.dtype == pl.Duration else TimeGuess("", zoned, 1.0, f"stored as {held.dtype}")
    text = held.cast(pl.String).str.strip_chars()
    number = text.cast(pl.Float64, strict=False)
    if number.null_count() == 0:
        return _numeric(held, text)
    iso = _share(held, "")
    return _iso(text, iso) if iso >= ENOUGH else _formed(text)


def _iso(text: pl.Series, share: float) -> TimeGuess:
    timed = text.str.contains(":")
    zoned = bool((timed & text.str.contains(OFFSET)).sum() * 2 > len(text))
    return TimeGuess("", zoned, share, "ISO 8601, dates only" if not timed.any() else "ISO 8601")


def _numeric(held: pl.Series, text: pl.Series) -> TimeGuess | None:
    for form, digits in (("%Y%m%d", 8), ("%Y%m%d%H%M%S", 14)):
        if (text.str.len_chars() == digits).all() and _share(text, form) >= ENOUGH:
            return TimeGuess(form, False, _share(text, form), f"digits of the form {form}")
    share = _share(held, "")
    if share < ENOUGH:
        return None
    size = float(held.cast(pl.Float64).abs().median() or 0)  # type: ignore[arg-type]
    unit = next(unit for limit, unit in ((1e11, "s"), (1e14, "ms"), (1e17, "us"), (float("inf"), "ns")) if size < limit)
    return TimeGuess("", True, share, f"since the epoch, in {unit}")


def _formed(text: pl.Series) -> TimeGuess | None:
    shares = {form: _share(text, form) for form in FORMS}
    best = max(shares.values())
    if best < ENOUGH:
        return None
    fitting = [form for form, share in shares.items() if share == best]
    form = fitting[0] if len(fitting) == 1 else _told_apart(text, fitting)
    return TimeGuess(form, "%z" in form, best, f"text of the form {form}")


def _told_apart(text: pl.Series, fitting: list[str]) -> str:
    """The only form in which the file's times ascend. Raises BadData where that does not decide."""
    ascending = [form for form in fitting if _moments(text, form).drop_nulls().is_sorted()]
    if len(ascending) == 1:
        return ascending[0]
    raise BadData(
        f"The times are ambiguous: {text[0]!r} may be {' or '.join(fitting)}, and so may every other value looked at. Say "
        f"which: --time-format '{fitting[0]}'"
    )


def _moments(values: pl.Series, form: str) -> pl.Series:
    frame = values.to_frame("time")
    return frame.select(moment("time", frame.schema, Form(time_format=form))).to_series()


def _share(values: pl.Series, form: str) -> float:
    """Share of the values that are plausible times in a form."""
    return float(_moments(values, form).is_between(FIRST, LAST).fill_null(False).sum()) / len(values)
