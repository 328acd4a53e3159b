"""What a source of events is."""

from typing import Protocol

import polars as pl


class Source(Protocol):
    """Raw rows, lazily; columns and types are the file's own."""

    @property
    def name(self) -> str:
        """What the events are called in messages."""

    @property
    def items_name(self) -> str:
        """What the items are called in messages."""

    def events(self) -> pl.LazyFrame:
        """One row an event. Raises BadData where there is nothing to read."""

    def items(self) -> pl.LazyFrame | None:
        """One row an item; None where the source has no catalogue."""
