"""Columns of any type -> text, numbers and moments, as polars expressions. What cannot be read becomes null."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import polars as pl

from recloop.errors import BadData


@dataclass(frozen=True)
class Form:
    """How text is to be taken: the zone of times without one, their strftime form (empty: ISO 8601), the decimal mark."""

    timezone: str = "UTC"
    time_format: str = ""
    decimal: str = "."


LOCAL = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
OFFSET = r"(?i)(?:Z|\s*UTC|\s*GMT|([+-])(\d{2}):?(\d{2}))$"
"""The zone at the end of ISO text that has a time of day"""


def chosen(
    schema: pl.Schema, columns: Mapping[str, str], *, canonical: Sequence[str], required: Collection[str], name: str
) -> dict[str, str]:
    """Which column of the file holds each canonical one. Raises BadData naming every column that is missing."""
    at = {c: columns.get(c, c) for c in canonical if c in columns or c in schema or c in required}
    missing = [f"{c}{_alike(column, schema)}" for c, column in at.items() if column not in schema]
    if missing:
        raise BadData(
            f"{name} lacks the column of {', '.join(missing)}. It has: {', '.join(schema.names())}. "
            "Name the right ones in data.columns or data.item_columns."
        )
    return at


def _alike(column: str, schema: pl.Schema) -> str:
    near = get_close_matches(column, schema.names(), n=1, cutoff=0.5)
    return f" ({column!r}; did you mean {near[0]!r}?)" if near else f" ({column!r})"


def text(column: str, schema: pl.Schema) -> pl.Expr:
    """Text, null where blank. Whole floats lose their '.0' (an id column with gaps is often exported so)."""
    return written(pl.col(column), schema[column])


def filled(column: str, schema: pl.Schema) -> pl.Expr:
    """Whether `text` finds any, without making it."""
    value = pl.col(column)
    return value.str.contains(r"\S").fill_null(False) if schema[column] == pl.String else value.is_not_null()


def written(value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """`text` of an expression of the given type."""
    if kind.is_float():
        whole = value.cast(pl.Int64, strict=False)
        return pl.when(value == whole).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
    plain = value.cast(pl.String)
    return pl.when(plain.str.strip_chars() != "").then(plain)


def number(column: str, schema: pl.Schema, decimal: str = ".") -> pl.Expr:
    """float64; null where it is no number. With a decimal comma, points part thousands."""
    value = pl.col(column)
    if schema[column] == pl.String:
        value = value.str.strip_chars()
        if decimal == ",":
            value = value.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return value.cast(pl.Float64, strict=False)


def moment(column: str, schema: pl.Schema, form: Form) -> pl.Expr:
    """datetime[us, UTC] of a datetime, a date, a number since the epoch (s, ms, us, ns by its size) or ISO 8601 text.

    Text and whole numbers are read by `form.time_format` where it is set. In a zone, an hour that occurs twice is taken for
    the first, one that a clock change leaves out is null.
    """
    timezone = form.timezone
    value, kind = pl.col(column), schema[column]
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return value.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    if kind.is_temporal():
        return _placed(value.cast(pl.Datetime("us")), timezone)
    if form.time_format:
        return _formed(value.cast(pl.String).str.strip_chars(), form)
    if kind.is_numeric():
        return _since_epoch(value)
    return _iso(value.cast(pl.String).str.strip_chars(), timezone)


def _placed(local: pl.Expr, timezone: str) -> pl.Expr:
    zoned = local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _formed(value: pl.Expr, form: Form) -> pl.Expr:
    if "%z" in form.time_format or "%#z" in form.time_format:
        return value.str.to_datetime(form.time_format, time_unit="us", strict=False)
    return _placed(value.str.to_datetime(form.time_format, time_unit="us", strict=False), form.timezone)


def _since_epoch(value: pl.Expr) -> pl.Expr:
    size, value = value.abs(), value.cast(pl.Float64)
    micros = (
        pl.when(size < 1e11)
        .then(value * 1e6)
        .when(size < 1e14)
        .then(value * 1e3)
        .when(size < 1e17)
        .then(value)
        .otherwise(value / 1e3)
    )
    return micros.round().cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _iso(value: pl.Expr, timezone: str) -> pl.Expr:
    """ISO 8601 text, or a number in text."""
    timed = value.str.contains(":")
    local = value.str.replace(" ", "T", literal=True)
    local = pl.when(timed).then(local.str.replace(OFFSET, "").str.strip_chars_end()).otherwise(local)
    plain = pl.coalesce(local.str.to_datetime(f, time_unit="us", strict=False) for f in LOCAL)
    zoned = timed & value.str.contains(OFFSET)
    sign = pl.when(value.str.extract(OFFSET, 1) == "-").then(-1).otherwise(1)
    hours, minutes = (value.str.extract(OFFSET, g).cast(pl.Int64).fill_null(0) for g in (2, 3))
    absolute = (plain - pl.duration(minutes=sign * (60 * hours + minutes))).dt.replace_time_zone("UTC")
    return (
        pl.when(zoned)
        .then(absolute)
        .otherwise(pl.coalesce(_placed(plain, timezone), _since_epoch(value.cast(pl.Float64, strict=False))))
    )
