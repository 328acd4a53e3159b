"""A public set by name -> canonical events and items, judged as any other data."""

from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.config import DataConfig, QualityConfig
from recloop.data.events import reject
from recloop.data.sources.collect import collect


def named(name: str, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Name, folder of fetched sets -> (good events, items); rows that no model may learn from are left out.

    Left out is what the check of a pipeline would put into quarantine: rows without a user, returns, repeated rows.
    Raises BadData where the set is not known, not fetched, or not as its publisher describes it.
    """
    events, items = collect(DataConfig(source="public", events=name), folder=folder)
    newest = events.select(pl.col(Columns.Time).max()).item()
    good, _ = reject(events, items, config=QualityConfig(), now=newest)
    return good, items
