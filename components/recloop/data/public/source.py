"""A fetched public set as a source of events."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recloop.config import DataConfig
from recloop.data.public.catalogue import read
from recloop.data.public.sets import Tables
from recloop.errors import BadData


@dataclass(frozen=True)
class Public:
    """The rows of one set, named canonically by its reader."""

    name: str
    tables: Tables

    @classmethod
    def configured(cls, config: DataConfig, folder: Path | None) -> "Public":
        """From data.events, a set's name. Raises BadData where it is not set, not known or not fetched."""
        if config.events is None or folder is None:
            raise BadData("data.source is public, but data.events names no set. List them: recloop data list")
        return cls(config.events, read(config.events, folder))

    @property
    def items_name(self) -> str:
        """The items, for messages."""
        return f"the items of {self.name}"

    def events(self) -> pl.LazyFrame:
        """One row an event."""
        return self.tables.events

    def items(self) -> pl.LazyFrame | None:
        """One row an item, where the set describes them."""
        return self.tables.items
