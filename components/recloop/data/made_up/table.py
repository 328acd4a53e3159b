"""Numbers of users, items and seconds -> the events of a made-up set."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns

START = datetime(2024, 1, 1, tzinfo=UTC)
"""when every made-up set begins"""
DAY = 86_400
I64 = NDArray[np.int64]


def table(found: list[I64], *, user: str, item: str) -> pl.DataFrame:
    """Blocks of [user, item, second] rows -> events whose ids are the word and the number; a user's day is one visit."""
    numbers = pl.DataFrame(np.concatenate(found, axis=1).T, schema=["user", "item", "second"])
    return numbers.select(
        pl.format(f"{user}-{{}}", "user").alias(Columns.User),
        pl.format(f"{item}-{{}}", "item").alias(Columns.Item),
        (pl.lit(START) + pl.duration(seconds="second")).alias(Columns.Time),
        pl.format("{}-{}", "user", pl.col("second") // DAY).alias(Columns.Basket),
    )
