"""What changes after it was delivered: events that come late, and events that are to be forgotten."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

import polars as pl

from recloop.columns import Columns
from recloop.data.reading import text
from recloop.errors import BadData

KEYS = (Columns.EventId, Columns.User, Columns.Item)
FULL = 0.99
"""quantile of a file's times that stands for its newest: a stray time in the future does not close all days"""


def late(parts: Sequence[pl.DataFrame], allowed: timedelta) -> list[pl.DataFrame]:
    """Readings of files in their order -> the same, with the reason `too_late` on rows below the watermark.

    The watermark of a file is the newest time of the files before it, less what is allowed; it never falls.
    """
    newest: datetime | None = None
    judged = []
    for part in parts:
        judged.append(part if newest is None else _marked(part, newest - allowed))
        here = cast("datetime | None", part[Columns.Time].quantile(FULL, "nearest"))
        newest = max(filter(None, (newest, here)), default=None)
    return judged


def _marked(part: pl.DataFrame, watermark: datetime) -> pl.DataFrame:
    passed = pl.col(Columns.Reason).is_null() & (pl.col(Columns.Time) < watermark)
    return part.with_columns(
        pl.when(passed).then(pl.lit("too_late")).otherwise(Columns.Reason).alias(Columns.Reason),
        pl.when(passed)
        .then(pl.lit(f"watermark={watermark.isoformat()}"))
        .otherwise(Columns.Detail)
        .alias(Columns.Detail),
    )


def without(events: pl.DataFrame, tombstones: pl.LazyFrame, columns: Mapping[str, str], *, name: str) -> pl.DataFrame:
    """Events as read -> those that no tombstone names, in their order.

    A tombstone names events by their event id, user and item: by all of these that it fills. `columns` as for the events.
    Raises BadData where the table has none of them, or a row fills none.
    """
    schema = tombstones.collect_schema()
    at = {c: columns.get(c, c) for c in KEYS if columns.get(c, c) in schema}
    named = tombstones.select(text(column, schema).alias(c) for c, column in at.items()).unique().collect()
    if not at or named.select(pl.all_horizontal(pl.all().is_null()).any()).item():
        raise BadData(f"{name} has a row that names no event: fill {', '.join(columns.get(c, c) for c in KEYS)}.")
    return _forgotten(events, named)


def _forgotten(events: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """One anti-join for each way of naming that occurs."""
    for filled in named.select(pl.all().is_not_null()).unique(maintain_order=True).rows():
        keys = [c for c, here in zip(named.columns, filled, strict=True) if here]
        absent = [c for c in named.columns if c not in keys]
        rows = named.filter(pl.all_horizontal(pl.col(c).is_not_null() for c in keys))
        rows = rows.filter(pl.all_horizontal(pl.col(c).is_null() for c in absent)) if absent else rows
        events = events.join(rows.select(keys), on=keys, how="anti", maintain_order="left")
    return events
