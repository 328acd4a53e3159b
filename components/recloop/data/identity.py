"""Event ids for sources that give none: the same row has the same id in every export."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from recloop.columns import EVENT_COLUMNS, Columns

KEYS = ("recloop-event-1a", "recloop-event-1b")
"""Two keys of SipHash (16 bytes each): together 128 bits, so that no two of 10^12 rows are expected to collide"""
NOTHING = "\x00"
BETWEEN = "\x1f"


def identified(events: pl.DataFrame) -> pl.DataFrame:
    """Events -> the same with every event id filled.

    The id is a hash of the row's other columns; its second occurrence in the table ends in '-2', and so on. Such a
    repetition has the reason `duplicate_row`, unless there is a reason already.
    """
    missing = events[Columns.EventId].is_null()
    if not missing.any():
        return events
    made = missing.to_frame("made").with_columns(pl.when("made").then(_hashes(events)).alias("hash"))
    nth = pl.int_range(1, pl.len() + 1).over("hash")
    again = pl.col("made") & (nth > 1)
    made = made.with_columns(nth.alias("nth"), again.alias("again"))
    return events.with_columns(
        pl.coalesce(
            Columns.EventId,
            made["hash"]
            + made.select(pl.when("again").then(pl.format("-{}", "nth")).otherwise(pl.lit(""))).to_series(),
        ),
        pl.coalesce(Columns.Reason, pl.when(made["again"]).then(pl.lit("duplicate_row"))),
    )


def _hashes(events: pl.DataFrame) -> pl.Series:
    """128 bits in hex of each row's content. Independent of the library's own, unstable hash."""
    content = _content(events)
    halves: NDArray[np.uint64] = np.stack(
        [pd.util.hash_array(content, hash_key=k, categorize=False) for k in KEYS], axis=1
    )
    binary = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(content), [None, pa.py_buffer(halves.tobytes())])
    return pl.Series("hash", pl.from_arrow(binary.cast(pa.binary()))).bin.encode("hex")


def _content(events: pl.DataFrame) -> NDArray[np.object_]:
    """Every column but the id as one text a row; floats by their bits, so that no formatting can change an id."""
    columns = [events[c] for c in EVENT_COLUMNS if c != Columns.EventId]
    bits = [
        pl.Series(c.name, c.to_numpy().view(np.int64)) if c.dtype == pl.Float64 else c.to_physical() for c in columns
    ]
    filled = [pl.col(c.name).cast(pl.String).fill_null(NOTHING) for c in columns]
    return pl.DataFrame(bits).select(pl.concat_str(filled, separator=BETWEEN)).to_series().to_numpy()
