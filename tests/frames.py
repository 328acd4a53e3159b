"""Literal histories and canonical events for tests."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from recloop.data.events import EVENT_SCHEMA, readings, settled
from recloop.data.histories import Histories

DAY = 86_400
NOW = 100 * DAY


def histories(*rows, now=NOW):
    """Rows of (item, days ago) pairs, oldest first -> Histories; prices are the item codes."""
    flat = [pair for row in rows for pair in row]
    items = np.array([item for item, _ in flat], dtype=np.int32)
    return Histories(
        offsets=np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64),
        items=items,
        times=np.array([now - int(days * DAY) for _, days in flat], dtype=np.int64),
        prices=items.astype(np.float32),
        quantities=np.ones(len(flat), dtype=np.float32),
        discounts=np.zeros(len(flat), dtype=np.float32),
        stores=np.zeros(len(flat), dtype=np.uint8),
        now=np.full(len(rows), now, dtype=np.int64),
    )


def conform(raw, columns, *, name, **told):
    """Raw rows of one file -> events as read, by the two steps that `collect` takes."""
    return settled(readings(raw, columns, name=name, **told), name)


def canonical(rows, start=datetime(2024, 1, 1, tzinfo=UTC)):
    """(user, item, day) triples -> canonical purchases at 2.00 each."""
    table = [
        {
            "event_id": f"e{n}",
            "user_id": u,
            "item_id": i,
            "event": "purchase",
            "time": start + timedelta(days=d),
            "price": 2.0,
        }
        for n, (u, i, d) in enumerate(rows)
    ]
    frame = pl.DataFrame(table, schema=EVENT_SCHEMA)
    return frame.with_columns(quantity=pl.lit(1.0), discount=pl.lit(0.0))


def catalogue(n):
    """n items in two departments, coded 1..n."""
    codes = range(1, n + 1)
    return pl.DataFrame(
        {
            "item": list(codes),
            "item_id": [f"i{c}" for c in codes],
            "title": [f"Item {c}" for c in codes],
            "category": [f"D{c % 2} > C{c % 3}" for c in codes],
            "brand": [""] * n,
        },
        schema_overrides={"item": pl.Int32},
    )


def items(ids):
    """Canonical items of ids."""
    return pl.DataFrame(
        {"item_id": ids, "title": ids, "category": ["A"] * len(ids), "brand": [""] * len(ids), "text": ids}
    )
