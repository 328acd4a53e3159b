"""What a layout is: the columns that tell it, and how its rows become canonical ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from recloop.columns import EVENT_COLUMNS, ITEM_COLUMNS, Columns


@dataclass(frozen=True)
class Layout:
    """The export of one system.

    marks: sets of columns; a table that has all of one set is taken for this export. rows: raw rows -> one row an item of an
    event, named canonically, item columns among them. kinds: the system's words for kinds of event, in lower case.
    note: what is read and what is not, for people.
    """

    name: str
    title: str
    marks: tuple[frozenset[str], ...]
    rows: Callable[[pl.LazyFrame], pl.LazyFrame]
    kinds: Mapping[str, str]
    note: str

    def fits(self, schema: pl.Schema) -> bool:
        """Whether a table with these columns is such an export."""
        return any(mark <= set(schema.names()) for mark in self.marks)

    def events(self, raw: pl.LazyFrame) -> pl.LazyFrame:
        """Raw rows -> one row an event."""
        return _only(self.rows(raw), EVENT_COLUMNS)

    def items(self, raw: pl.LazyFrame) -> pl.LazyFrame:
        """Raw rows -> one row an item, as it was described last."""
        return described_last(_only(self.rows(raw), ITEM_COLUMNS))


def described_last(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows that describe items over and over -> one row an item, each column as it was last filled."""
    named = rows.filter(pl.col(Columns.Item).is_not_null())
    return named.group_by(Columns.Item).agg(pl.all().drop_nulls().last())


def _only(rows: pl.LazyFrame, columns: tuple[str, ...]) -> pl.LazyFrame:
    held = rows.collect_schema().names()
    return rows.select(c for c in columns if c in held)
