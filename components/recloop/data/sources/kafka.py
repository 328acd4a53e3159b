"""Events in a Kafka topic: one JSON object a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import orjson
import polars as pl

from recloop.columns import EVENT_COLUMNS, ITEM_COLUMNS, Columns
from recloop.config import DataConfig
from recloop.data.sources.polling import Offsets, Polled, Topic
from recloop.data.sources.table import Storage, scan
from recloop.errors import BadData

LOOKED = 1_000
"""messages whose fields are looked for"""


@dataclass(frozen=True)
class Kafka:
    """The messages of a topic that come after `since`; they are read once, when they are asked for first.

    Values are read as text, field by field; a message that is no JSON object has none, and goes to quarantine. An event
    without an id is named by its topic, partition and offset, which a second reading does not change.
    """

    topic: Topic
    wanted: tuple[str, ...]
    """fields that the configuration names"""
    id_field: str
    most: int
    items_at: str | None
    storage: Storage | None
    since: Offsets

    @classmethod
    def configured(cls, config: DataConfig, storage: Storage | None, since: Offsets) -> "Kafka":
        """From data.events, data.kafka and the columns. Raises BadConfig, or BadData where data.events is not set."""
        if config.events is None:
            raise BadData("data.source is kafka, but data.events names no topic. Set it to kafka://host:port/topic.")
        topic = Topic.at(config.events, config.kafka)
        wanted = {**_fields(config.columns), **_fields(config.item_columns), **_fields({"": config.consent or ""})}
        id_field = config.columns.get(Columns.EventId, Columns.EventId)
        return cls(topic, tuple(wanted), id_field, config.kafka.max_messages, config.items, storage, since)

    @property
    def name(self) -> str:
        """What the events are called in messages."""
        return f"the topic {self.topic.name}"

    @property
    def items_name(self) -> str:
        """Where the items are, for messages."""
        return self.items_at or self.name

    @cached_property
    def polled(self) -> Polled:
        """What was read, and where the next reading begins."""
        return self.topic.poll(self.since, self.most)

    def events(self) -> pl.LazyFrame:
        """One row a message, a column of text for each field. Raises BadData where there is no message."""
        messages = self.polled.messages
        if messages.is_empty():
            raise BadData(f"{self.name} holds no message. Check data.events, or wait for the first events.")
        names = dict.fromkeys([*self.wanted, *EVENT_COLUMNS, *ITEM_COLUMNS, *_keys(messages["value"])])
        read = messages.select(*(_at(name).alias(name) for name in names), _named(self.topic.name).alias(MADE))
        held = [name for name in names if name in self.wanted or read[name].null_count() < read.height]
        made = pl.coalesce(pl.col(self.id_field), MADE) if self.id_field in held else pl.col(MADE)
        return read.select(*(c for c in held if c != self.id_field), made.alias(self.id_field)).lazy()

    def items(self) -> pl.LazyFrame | None:
        """Rows of data.items, a file."""
        return None if self.items_at is None else scan(self.items_at, self.storage)


MADE = "\0made"


def _fields(columns: Mapping[str, str]) -> dict[str, None]:
    return {name: None for name in columns.values() if name}


def _at(name: str) -> pl.Expr:
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    return pl.col("value").str.json_path_match(f"$['{quoted}']")


def _named(topic: str) -> pl.Expr:
    return pl.format("{}-{}-{}", pl.lit(topic), "partition", "offset")


def _keys(values: pl.Series) -> list[str]:
    """Fields of the first messages, in the order in which they occur."""
    return list(dict.fromkeys(key for text in values.head(LOOKED) for key in _object(text)))


def _object(text: str) -> dict[str, object]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
