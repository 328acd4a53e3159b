"""Event ids for sources that give none: the same row has the same id in every export.

A row's hash is the sum of its columns' hashes, each keyed by its column (tabulation hashing, Zobrist 1970), so that text is
hashed once for each distinct value and not for each row.
"""

from collections.abc import Callable
from typing import cast

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from recloop.columns import EVENT_COLUMNS, Columns
from recloop.data.coded import Coded
from recloop.data.repeats import repeated

KEYS = ("recloop-event-1a", "recloop-event-1b")
"""Two keys of SipHash (16 bytes each): together 128 bits, so that no two of 10^12 rows are expected to collide"""
U64 = NDArray[np.uint64]
Hashed = Callable[[int, slice], U64]
"""(half, rows) -> hashes of those rows of one column"""
NOTHING = np.uint64(0)
BLOCK = 1 << 15
"""rows hashed at once: few enough that what lies between the steps stays in the processor's cache"""
HASHED = tuple(c for c in EVENT_COLUMNS if c != Columns.EventId)
LOW, HIGH = "low", "high"


def identified(events: pl.DataFrame) -> pl.DataFrame:
    """Events -> the same with every event id filled.

    The id is a hash of the row's other columns; its second occurrence in the table ends in '-2', and so on. Such a
    repetition has the reason `duplicate_row`, unless there is a reason already.
    """
    missing = events[Columns.EventId].is_null()
    if not missing.any():
        return events
    low, high = _hashes(events)
    again = _again(low, high, missing)
    numbered = pl.when(again["nth"] > 1).then(pl.format("{}-{}", "hash", again["nth"])).otherwise("hash")
    made = hexed(low, high).to_frame("hash").select(numbered).to_series()
    return events.with_columns(
        pl.coalesce(Columns.EventId, made).alias(Columns.EventId),
        pl.coalesce(Columns.Reason, pl.when(again["nth"] > 1).then(pl.lit("duplicate_row"))),
    )


def _again(low: U64, high: U64, missing: pl.Series) -> pl.DataFrame:
    """Which occurrence of its content each row is, among those without an id. nth: 1 for rows with one."""
    at = repeated(low)
    few = pl.DataFrame({"at": at, LOW: low[at], HIGH: high[at]}).filter(missing[at])
    nth = few.select("at", pl.int_range(1, pl.len() + 1).over(LOW, HIGH).alias("nth"))
    found = np.ones(len(low), dtype=np.int64)
    found[nth["at"].to_numpy()] = nth["nth"].to_numpy()
    return pl.DataFrame({"nth": found})


def hexed(low: U64, high: U64) -> pl.Series:
    """128 bits -> 32 hexadecimal digits."""
    halves = np.stack([low, high], axis=1)
    binary = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(halves), [None, pa.py_buffer(halves.tobytes())])
    return pl.Series("hash", pl.from_arrow(binary.cast(pa.binary()))).bin.encode("hex")


def _hashes(events: pl.DataFrame) -> tuple[U64, U64]:
    """Two times 64 bits of each row's content; a column's place in HASHED is part of its key."""
    known = [(place, events[c]) for place, c in enumerate(HASHED) if events[c].null_count() < events.height]
    hashed = [_texts(c, place) if c.dtype == pl.String else _numbers(c, place) for place, c in known]
    low, high = (np.zeros(events.height, dtype=np.uint64) for _ in KEYS)
    for start in range(0, events.height, BLOCK):
        rows = slice(start, start + BLOCK)
        for half, out in enumerate((low, high)):
            for of in hashed:
                out[rows] += of(half, rows)
            out[rows] = _mixed(out[rows])
    return low, high


def _texts(column: pl.Series, place: int) -> Hashed:
    """Keyed hashes of each text, 0 where null."""
    coded = Coded.of(column)
    distinct = coded.words.to_numpy()
    tables = [
        np.append(_mixed(pd.util.hash_array(distinct, hash_key=key, categorize=False) ^ _salt(half, place)), NOTHING)
        for half, key in enumerate(KEYS)
    ]
    return lambda half, rows: tables[half][coded.places[rows]]


def _numbers(column: pl.Series, place: int) -> Hashed:
    """Keyed hashes of each number's bits, so that no formatting can change an id; 0 where null."""
    bits = column.to_physical().fill_null(0).to_numpy().view(np.uint64)
    known = column.is_not_null().to_numpy() if column.null_count() else None
    salts = [_salt(half, place) for half in range(len(KEYS))]

    def hashed(half: int, rows: slice) -> U64:
        mixed = _mixed(bits[rows] ^ salts[half])
        return mixed if known is None else mixed * known[rows]

    return hashed


def _salt(half: int, place: int) -> np.uint64:
    """What tells one column of one half from the others."""
    name = np.array([f"column {place}"], dtype=object)
    return cast(np.uint64, pd.util.hash_array(name, hash_key=KEYS[half], categorize=False)[0])


def _mixed(values: U64) -> U64:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): every bit of the input moves every bit of the output."""
    values = values ^ (values >> np.uint64(30))
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values
