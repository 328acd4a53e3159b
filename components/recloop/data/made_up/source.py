"""A made-up set as a source of events."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from recloop.config import DataConfig
from recloop.data.made_up import music, news, social
from recloop.errors import BadData

SEED = 7
SETS: dict[str, tuple[Callable[[int], pl.DataFrame], Callable[[], pl.DataFrame]]] = {
    "music": (music.plays, music.songs),
    "news": (news.reads, news.articles),
    "social": (social.follows, social.people),
}
"""name -> events of a seed, and the catalogue"""


@dataclass(frozen=True)
class MadeUp:
    """One set, the same bytes each time."""

    kind: str

    @classmethod
    def configured(cls, config: DataConfig) -> "MadeUp":
        """From data.events, a set's name. Raises BadData where there is no such set."""
        if config.events not in SETS:
            raise BadData(f"data.events is {config.events!r}; the made-up sets are {', '.join(SETS)}.")
        return cls(config.events)

    @property
    def name(self) -> str:
        """The events, for messages."""
        return f"the made-up {self.kind}"

    @property
    def items_name(self) -> str:
        """The items, for messages."""
        return f"the items of the made-up {self.kind}"

    def events(self) -> pl.LazyFrame:
        """One row an event."""
        return SETS[self.kind][0](SEED).lazy()

    def items(self) -> pl.LazyFrame | None:
        """One row an item."""
        return SETS[self.kind][1]().lazy()
