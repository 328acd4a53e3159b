"""The canonical events table: what a row is, how any table is read as one, and which rows are refused.

Ids are text, times are datetime[us, UTC]. A price that is unknown stays null; quantity defaults to 1, discount to 0.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import EVENTS, REASONS, Columns
from recloop.config import QualityConfig
from recloop.data.consent import AGREED, given, silenced
from recloop.data.identity import identified
from recloop.data.reading import Form, chosen, filled, moment, number, text, written
from recloop.data.repeats import repeated
from recloop.errors import BadData

EVENT_SCHEMA = pl.Schema(
    {
        Columns.EventId: pl.String(),
        Columns.User: pl.String(),
        Columns.Item: pl.String(),
        Columns.Event: pl.String(),
        Columns.Time: pl.Datetime("us", "UTC"),
        Columns.Price: pl.Float64(),
        Columns.Quantity: pl.Float64(),
        Columns.Discount: pl.Float64(),
        Columns.Rating: pl.Float64(),
        Columns.Basket: pl.String(),
        Columns.Store: pl.String(),
    }
)
READ_SCHEMA = pl.Schema({**EVENT_SCHEMA, Columns.Reason: pl.String(), Columns.Detail: pl.String()})
"""Events as read and not yet judged: `reason` and `detail` hold what could not be read; null elsewhere."""

REQUIRED = (Columns.User, Columns.Item, Columns.Time)
DEFAULTS = {Columns.Quantity: 1.0, Columns.Discount: 0.0}
NUMBERS = (Columns.Price, Columns.Quantity, Columns.Discount, Columns.Rating)
IDS = (Columns.EventId, Columns.User, Columns.Item, Columns.Basket, Columns.Store)
ROW = "row"
FEW = 1_000
"""rows that change places, up to which slices are joined instead of copying all"""
SKIP = "skip"
"""kind of the rows that are no events of items"""


def readings(
    raw: pl.LazyFrame,
    columns: Mapping[str, str],
    *,
    event: str,
    form: Form,
    until: datetime | None,
    name: str,
    kinds: Mapping[str, str] = MappingProxyType({}),
    consent: str | None = None,
) -> pl.DataFrame:
    """Raw rows -> READ_SCHEMA and the row's number in the file; event ids only where the file gives them.

    `columns` maps canonical names to the file's; a canonical name that the file has needs no entry. `event` is the kind
    of every row where there is no event column; `kinds` are the file's words for kinds, in lower case. Rows at or after
    `until` and those of the kind skip are left out. `consent` is the file's column of consent: of rows without it only the
    kind and the hour are read. Raises BadData where a column is missing.
    """
    schema = raw.collect_schema()
    agreed = pl.lit(True) if consent is None else given(consent, schema, name)
    at = chosen(schema, columns, canonical=EVENT_SCHEMA.names(), required=REQUIRED, name=name)
    values = _values(schema, at, form)
    kind = _kind(at[Columns.Event], schema, kinds) if Columns.Event in at else pl.lit(event)
    read = raw.with_row_index(ROW, 1).select(
        *(text(at[c], schema).alias(c) if c in at else pl.lit(None, pl.String).alias(c) for c in IDS),
        kind.alias(Columns.Event),
        *(value.alias(c) for c, value in values.items()),
        *_unreadable(schema, at, values, form.decimal),
        agreed.alias(AGREED),
        ROW,
    )
    if SKIP in kinds.values():
        read = read.filter(pl.col(Columns.Event).ne_missing(SKIP))
    if until is not None:
        read = read.filter(pl.col(Columns.Time).is_null() | (pl.col(Columns.Time) < until))
    if consent is not None:
        read = silenced(read)
    return read.select(*READ_SCHEMA.names(), ROW).collect()


def settled(read: pl.DataFrame, name: str) -> pl.DataFrame:
    """Readings of one file, or of several one after another -> READ_SCHEMA with every event id.

    Ids that the source does not give are hashes of the row's content and its occurrence number. Raises BadData: no row at
    all, or most times unreadable (then the column is no time).
    """
    return identified(_not_hopeless(read, name).select(READ_SCHEMA.names()))


def _kind(column: str, schema: pl.Schema, kinds: Mapping[str, str]) -> pl.Expr:
    word = text(column, schema).str.strip_chars().str.to_lowercase()
    return word.replace(dict(kinds)) if kinds else word


def _values(schema: pl.Schema, at: Mapping[str, str], form: Form) -> dict[str, pl.Expr]:
    numbers = {c: number(at[c], schema, form.decimal) for c in NUMBERS if c in at}
    numbers |= {c: numbers[c].fill_null(value) for c, value in DEFAULTS.items() if c in at}
    absent = {c: pl.lit(DEFAULTS.get(c), pl.Float64) for c in NUMBERS if c not in at}
    return {Columns.Time: moment(at[Columns.Time], schema, form)} | numbers | absent


def _unreadable(schema: pl.Schema, at: Mapping[str, str], values: Mapping[str, pl.Expr], decimal: str) -> list[pl.Expr]:
    """Expressions of the first text that a row has and that is no time or number: its reason and the text."""
    reason: pl.Expr = pl.lit(None, pl.String)
    detail: pl.Expr = pl.lit(None, pl.String)
    for c in (*reversed([n for n in NUMBERS if n in at]), Columns.Time):
        read = values[c] if c == Columns.Time else number(at[c], schema, decimal)
        lost = filled(at[c], schema) & read.is_null()
        said = written(pl.when(lost).then(pl.col(at[c])), schema[at[c]])  # text is dear: only of what is lost
        why = pl.lit("unreadable_time" if c == Columns.Time else "unreadable_number")
        reason = pl.when(lost).then(why).otherwise(reason)
        detail = pl.when(lost).then(pl.lit(f"{at[c]}=") + said).otherwise(detail)
    return [reason.alias(Columns.Reason), detail.alias(Columns.Detail)]


def _not_hopeless(read: pl.DataFrame, name: str) -> pl.DataFrame:
    if read.is_empty():
        raise BadData(f"{name} has no event before data.until. Check the export, or move data.until.")
    lost = read.filter(pl.col(Columns.Reason) == "unreadable_time")
    if 2 * lost.height > read.height:
        first = lost.row(0, named=True)
        raise BadData(
            f"{lost.height:,} of {read.height:,} times in {name} cannot be read, first {first[Columns.Detail]!r} in "
            f"row {first[ROW]:,}. Use ISO 8601 text, seconds or milliseconds since the epoch, or name another column "
            "in data.columns.time."
        )
    return read


def reject(
    events: pl.DataFrame, items: pl.DataFrame, *, config: QualityConfig, now: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events as read -> (good events, quarantine), no row lost.

    good has EVENT_SCHEMA, sorted by time and event id. quarantine has READ_SCHEMA in the order of the file, `reason`
    names the first rule of REASONS that the row breaks. Of rows that share an event id the first is good; the others
    are `duplicate_row` where all columns agree (a delivery repeated), else `duplicate_event_id`.
    """
    rules = (
        _rules(config, now)
        | _duplicates(events)
        | {"orphan_item": ~pl.col(Columns.Item).is_in(items[Columns.Item].implode())}
    )
    first = pl.coalesce(
        Columns.Reason, *(pl.when(rules[r]).then(pl.lit(r)) for r in REASONS if r in rules), pl.lit(None, pl.String)
    )
    judged = events.with_columns(events.lazy().select(first.alias(Columns.Reason)).collect())
    passed = judged[Columns.Reason].is_null()
    named = judged.select(EVENT_SCHEMA.names())
    good = named if passed.all() else named.filter(passed)
    return _in_order(good), judged.filter(~passed)


def _in_order(good: pl.DataFrame) -> pl.DataFrame:
    """By time and event id; where time ascends already, only rows of one moment change places."""
    time = good[Columns.Time]
    if not time.is_sorted():
        return good.sort(Columns.Time, Columns.EventId)
    shared = time == time.shift()
    shared = (shared | shared.shift(-1)).fill_null(False)
    at = np.flatnonzero(shared.to_numpy())
    ties = good.select(Columns.Time, Columns.EventId)[at].with_columns(at=pl.Series(at))
    ordered = ties.sort(Columns.Time, Columns.EventId)["at"].to_numpy()
    return _moved(good, at[ordered != at], ordered[ordered != at])


def _moved(rows: pl.DataFrame, to: NDArray[np.intp], come: NDArray[np.intp]) -> pl.DataFrame:
    """Rows with those at `come` at the places `to`, which ascend; where they are few, the others are not copied."""
    if len(to) > FEW:
        places = np.arange(rows.height)
        places[to] = come
        return rows[places]
    parts, done = [], 0
    for place, source in zip(to.tolist(), come.tolist(), strict=True):
        parts += [rows[done:place], rows[source : source + 1]]
        done = place + 1
    return pl.concat([*parts, rows[done:]])


def _rules(config: QualityConfig, now: datetime) -> dict[str, pl.Expr]:
    """Reason -> true where the row alone breaks the rule."""
    time, price, quantity = pl.col(Columns.Time), pl.col(Columns.Price), pl.col(Columns.Quantity)
    return {
        "missing_user": pl.col(Columns.User).is_null(),
        "missing_item": pl.col(Columns.Item).is_null(),
        "missing_time": time.is_null(),
        "unknown_event": ~pl.col(Columns.Event).is_in(EVENTS).fill_null(False),
        "time_in_future": time > now,
        "time_too_early": time < config.earliest,
        "not_finite": pl.any_horizontal(~pl.col(c).is_finite() for c in NUMBERS),
        "price_out_of_range": (price < 0) | (price > config.max_price),
        "quantity_not_positive": quantity <= 0,
        "quantity_too_large": quantity > config.max_quantity,
        "discount_out_of_range": ~pl.col(Columns.Discount).is_between(0, 1),
    }


def _duplicates(events: pl.DataFrame) -> dict[str, pl.Expr]:
    """Whole rows are compared only where ids are equal already: that is dear, and rare."""
    at = repeated(events[Columns.EventId].hash().to_numpy())
    few = events.select(EVENT_SCHEMA.names())[at].with_columns(pl.Series(ROW, at))
    content = pl.struct(EVENT_SCHEMA.names())
    same, other = (few.filter(~of.is_first_distinct())[ROW] for of in (content, pl.col(Columns.EventId)))
    return {"duplicate_row": _at(same, events.height), "duplicate_event_id": _at(other, events.height)}


def _at(rows: pl.Series, height: int) -> pl.Expr:
    """True at the given rows."""
    found = np.zeros(height, dtype=bool)
    found[rows.to_numpy()] = True
    return pl.lit(pl.Series(found))
