"""A stranger's table of users -> the section's keys, what was understood and what is doubtful."""

from dataclasses import replace
from typing import Any

import polars as pl

from recloop.columns import Columns
from recloop.data.attributes import WORDS
from recloop.data.onboarding.names import candidates
from recloop.data.onboarding.understand import Hints, Read, Understanding
from recloop.errors import BadData

LOOKED = 200_000
"""rows that are looked at"""


def understand_people(
    raw: pl.LazyFrame, user: str
) -> tuple[dict[str, Any], tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Raw rows of users -> (keys of data, (column, a value) of user and attributes, doubts). `user`: the events' column.

    An attribute is a column of a few words, or of numbers that come again. Raises BadData where no column names the user, or
    none is an attribute.
    """
    looked = raw.head(LOOKED).collect()
    named = [c for c in (user, Columns.User) if c in looked.columns] or candidates(Columns.User, looked.columns)
    if not named:
        raise BadData(
            f"No column of the users names the user; there are {', '.join(looked.columns)}. Say which: "
            "--user-column COLUMN"
        )
    rest = [c for c in looked.columns if c != named[0]]
    taken = [c for c in rest if _an_attribute(looked[c])]
    if not taken:
        raise BadData(
            f"No column of the users is an attribute: {', '.join(rest)} have as many values as users, or one."
        )
    lost = [c for c in rest if c not in taken]
    doubts = (
        (f"users: {', '.join(map(repr, lost))} not taken: as many values as users, or a single one",) if lost else ()
    )
    read = tuple((c, str(looked[c].drop_nulls()[0])) for c in (named[0], *taken))
    return {"user_column": named[0], "user_attributes": taken}, read, doubts


def with_people(understood: Understanding, raw: pl.LazyFrame, users: str, hints: Hints) -> Understanding:
    """What was understood of the events, and of the users as well. Raises BadData."""
    user = hints.user_column or understood.data.get("columns", {}).get(Columns.User, Columns.User)
    keys, read, doubts = understand_people(raw, user)
    roles = (Columns.User, *["attribute"] * (len(read) - 1))
    columns = tuple(Read("users", role, column, value) for role, (column, value) in zip(roles, read, strict=True))
    return replace(
        understood,
        data={**understood.data, "users": users, **keys},
        columns=(*understood.columns, *columns),
        doubts=(*understood.doubts, *doubts),
    )


def _an_attribute(values: pl.Series) -> bool:
    distinct = values.drop_nulls().n_unique()
    if values.cast(pl.Float64, strict=False).null_count() == values.null_count():
        return 1 < distinct < 0.5 * len(values)
    return 1 < distinct <= max(WORDS, len(values) // 20)
