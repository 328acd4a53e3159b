"""What is known of users without an event: a table of one row a user."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.data.reading import text
from recloop.errors import BadData

BANDS = 6
"""a number of more values than WORDS is cut into so many bands of about equally many users"""
WORDS = 12


def conform_attributes(raw: pl.LazyFrame, user: str, attributes: Sequence[str], *, name: str) -> pl.DataFrame:
    """Raw rows -> user_id and the attributes as words, sorted by user; null where unknown, numbers of many values in bands.

    Raises BadData: a column that is missing, a row without a user, or rows of one user that differ.
    """
    schema = raw.collect_schema()
    lost = [column for column in (user, *attributes) if column not in schema]
    if lost:
        raise BadData(
            f"{name} lacks {', '.join(map(repr, lost))}; it has {', '.join(schema.names())}. Name the right ones in "
            "data.user_column and data.user_attributes."
        )
    read = raw.select(text(user, schema).alias(Columns.User), *(text(c, schema).alias(c) for c in attributes)).collect()
    users = _one_row_a_user(read, name)
    return users.with_columns(_banded(users[c]) for c in attributes)


def _one_row_a_user(read: pl.DataFrame, name: str) -> pl.DataFrame:
    nameless, users = read[Columns.User].null_count(), read.unique().sort(Columns.User)
    if read.is_empty() or nameless:
        raise BadData(f"{nameless:,} of {read.height:,} rows of {name} have no user id. Give one row a user.")
    twice = users.filter(pl.col(Columns.User).is_duplicated())[Columns.User]
    if len(twice):
        raise BadData(
            f"{twice.n_unique():,} users have rows that differ in {name}, first {twice[0]!r}. Keep one row a user."
        )
    return users


def _banded(values: pl.Series) -> pl.Series:
    """A column of words; numbers of many values as the number of the band that they lie in."""
    numbers = values.cast(pl.Float64, strict=False)
    if values.n_unique() <= WORDS or numbers.null_count() > values.null_count():
        return values
    held = numbers.to_numpy()
    edges = np.unique(np.nanquantile(held, np.arange(1, BANDS) / BANDS))
    bands = pl.Series(values.name, np.searchsorted(edges, held, side="right")).cast(pl.String)
    return bands.zip_with(values.is_not_null(), pl.Series([None], dtype=pl.String))
