"""Made-up events of a shop with a real popularity curve, in Parquet, a million rows at a time."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

CHUNK = 1_000_000
DAYS = 365
START = datetime(2024, 1, 1, tzinfo=UTC)
EVENTS_A_USER = 50
ITEMS = 100_000
ZIPF = 1.05
"""exponent of the popularity curve; Complete Journey's products follow 1.0 to 1.1 over the first 10,000 ranks"""


def write_events(path: Path, rows: int, seed: int = 7) -> None:
    """Write `rows` events: ids are text, times ascend, one user in fifty is ten times as busy as the others."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, ITEMS + 1) ** ZIPF
    cumulated = np.cumsum(weights / weights.sum())
    names = pl.Series([f"P{n:07d}" for n in rng.permutation(ITEMS)])
    users = max(rows // EVENTS_A_USER, 1)
    writer = None
    for start in range(0, rows, CHUNK):
        table = _chunk(rng, min(CHUNK, rows - start), start / rows, CHUNK / rows, users, cumulated, names).to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()


def _chunk(rng, size, at, width, users, cumulated, names):
    """Rows of one stretch of time."""
    item = np.minimum(np.searchsorted(cumulated, rng.random(size)), ITEMS - 1)
    user = rng.integers(0, users, size)
    busy = rng.random(size) < 0.17
    user[busy] //= 50
    seconds = np.sort((at + rng.random(size) * min(width, 1 - at)) * DAYS * 86_400)
    price = np.round(1 + item % 97 + rng.random(size) * 0.5, 2)
    return pl.DataFrame(
        {
            "user_id": pl.Series(user).cast(pl.String).str.pad_start(8, "0"),
            "item_id": names.gather(item),
            "event": pl.Series(np.where(rng.random(size) < 0.1, "purchase", "view")),
            "time": pl.Series((seconds * 1e6).astype(np.int64)).cast(pl.Duration("us")) + START,
            "price": price,
            "quantity": rng.integers(1, 4, size).astype(np.float64),
        }
    )
