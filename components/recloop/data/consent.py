"""The consent flag: rows of people who did not agree are counted, and nothing of them is read."""

import polars as pl

from recloop.columns import Columns
from recloop.data.reading import text
from recloop.errors import BadData

AGREED = "agreed"
YES = ("true", "1", "yes", "y", "granted", "opt-in")
"""what the column says, in any case, of a person who agreed; anything else, and nothing, is no consent"""
KEPT = (Columns.Event, Columns.Time, Columns.Quantity, Columns.Discount)
"""columns that such a row keeps: its kind, its hour, and what may not be null"""


def given(column: str, schema: pl.Schema, name: str) -> pl.Expr:
    """The file's column -> true where there is consent. Raises BadData where the file lacks the column."""
    if column not in schema:
        raise BadData(f"{name} lacks the column {column!r} of data.consent. It has: {', '.join(schema.names())}.")
    return text(column, schema).str.strip_chars().str.to_lowercase().is_in(YES).fill_null(False)


def silenced(read: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with AGREED -> those without consent emptied, but for their kind and hour, under the reason no_consent."""
    refused = ~pl.col(AGREED)
    empty = [c for c in read.collect_schema().names() if c not in (*KEPT, AGREED, Columns.Reason, "row")]
    neutral = {Columns.Quantity: 1.0, Columns.Discount: 0.0}
    return read.with_columns(
        *(pl.when(~refused).then(pl.col(c)).alias(c) for c in empty),
        *(pl.when(refused).then(pl.lit(v)).otherwise(pl.col(c)).alias(c) for c, v in neutral.items()),
        pl.when(refused).then(pl.col(Columns.Time).dt.truncate("1h")).otherwise(Columns.Time).alias(Columns.Time),
        pl.when(refused).then(pl.lit("no_consent")).otherwise(Columns.Reason).alias(Columns.Reason),
    )
