"""Files of sequences, one user a line: `user item item ...`, oldest first, as published benchmarks come."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.config import DataConfig
from recloop.errors import BadData


@dataclass(frozen=True)
class Sequences:
    """Order without times: the n-th event of a user lies on the n-th day of 2000, so that days count events."""

    name: str
    items_name: str = "no catalogue"

    @classmethod
    def configured(cls, config: DataConfig, storage: object = None) -> "Sequences":
        """From data.events, a local file. Raises BadData where it is not set."""
        if config.events is None:
            raise BadData("data.source is sequences, but data.events names no file. Set it to a path.")
        return cls(config.events)

    def events(self) -> pl.LazyFrame:
        """One row an item of a line. Raises BadData where a line has no item."""
        lines = [line.split() for line in Path(self.name).read_text().splitlines() if line.strip()]
        short = [n for n, words in enumerate(lines, start=1) if len(words) < 2]
        if short or not lines:
            where = f"line {short[0]} names no item" if short else "it is empty"
            raise BadData(f"{self.name} is no file of sequences (user item item ...): {where}.")
        table = pl.DataFrame({Columns.User: [w[0] for w in lines], Columns.Item: [w[1:] for w in lines]})
        nth = pl.int_range(pl.len()).over(Columns.User)
        time = pl.datetime(2000, 1, 1, time_zone="UTC") + pl.duration(days=nth)
        return table.explode(Columns.Item).with_columns(time.alias(Columns.Time)).lazy()

    def items(self) -> pl.LazyFrame | None:
        """No catalogue."""
        return None
