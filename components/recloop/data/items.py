"""The canonical items table: one row an item, described in text."""

from collections.abc import Mapping

import polars as pl

from recloop.columns import ITEM_COLUMNS, Columns
from recloop.data.reading import chosen, text
from recloop.errors import BadData

ITEM_SCHEMA = pl.Schema({c: pl.String() for c in ITEM_COLUMNS})


PATH = " > "


def conform_items(
    raw: pl.LazyFrame, columns: Mapping[str, str], *, name: str, category_separator: str = PATH
) -> pl.DataFrame:
    """Raw rows -> items, sorted by item id; equal rows are one. Categories are parted by ' > ' afterwards.

    A title that is missing is the item's id; a text that is missing is title and brand. Raises BadData: no row, a row
    without an id, or rows of one id that differ.
    """
    schema = raw.collect_schema()
    at = chosen(schema, columns, canonical=ITEM_COLUMNS, required=(Columns.Item,), name=name)
    read = raw.select((text(at[c], schema) if c in at else pl.lit(None, pl.String)).alias(c) for c in ITEM_COLUMNS)
    if category_separator != PATH:
        levels = pl.col(Columns.Category).str.split(category_separator).list.eval(pl.element().str.strip_chars())
        read = read.with_columns(levels.list.join(PATH).alias(Columns.Category))
    return described(_distinct(read.collect(), name))


def items_of(events: pl.DataFrame) -> pl.DataFrame:
    """Events -> a catalogue of the ids that occur in them, where the source has none."""
    ids = events.select(pl.col(Columns.Item).drop_nulls().unique())
    return described(ids.with_columns(pl.lit(None, pl.String).alias(c) for c in ITEM_COLUMNS if c != Columns.Item))


def described(items: pl.DataFrame) -> pl.DataFrame:
    """Fill titles and texts; sort by id."""
    return (
        items.with_columns(pl.coalesce(Columns.Title, Columns.Item).alias(Columns.Title))
        .with_columns(
            pl.coalesce(
                Columns.Text, pl.concat_str(Columns.Title, Columns.Brand, separator=" ", ignore_nulls=True)
            ).alias(Columns.Text)
        )
        .select(ITEM_COLUMNS)
        .sort(Columns.Item)
    )


def _distinct(read: pl.DataFrame, name: str) -> pl.DataFrame:
    nameless = read[Columns.Item].null_count()
    if read.is_empty() or nameless:
        raise BadData(f"{nameless:,} of {read.height:,} rows of {name} have no item id. Give one row an item.")
    items = read.unique()
    twice = items.filter(pl.col(Columns.Item).is_duplicated()).sort(Columns.Item)
    if not twice.is_empty():
        raise BadData(
            f"{twice[Columns.Item].n_unique():,} items have rows that differ in {name}, first "
            f"{twice[Columns.Item][0]!r}. Keep one row an item."
        )
    return items
