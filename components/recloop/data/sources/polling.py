"""Messages of a Kafka topic from given offsets up to its end at this moment, by librdkafka."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import polars as pl
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from recloop.config.streams import KafkaConfig
from recloop.errors import BadConfig, BadData, Unavailable

URL = re.compile(r"kafka://([^/@?#]+)/([A-Za-z0-9._-]+)")
BATCH = 10_000
"""messages that are taken at once"""
SECONDS = 10.0
"""that a broker has to answer"""
PAUSE = 0.2
"""seconds that a batch waits to be full"""
SILENCES = 50
"""batches without a message, one after another, until the broker is taken for lost"""

Offsets = Mapping[int, int]
"""partition -> offset of the first message that is not read yet"""
SCHEMA = pl.Schema({"partition": pl.Int32(), "offset": pl.Int64(), "value": pl.String()})


@dataclass(frozen=True)
class Topic:
    """Where messages are, and how the brokers are spoken to."""

    brokers: str
    name: str
    config: KafkaConfig

    @classmethod
    def at(cls, url: str, config: KafkaConfig) -> "Topic":
        """kafka://host:port[,host:port]/topic -> Topic. Raises BadConfig."""
        found = URL.fullmatch(url)
        if found is None:
            raise BadConfig(f"data.events is {url!r}; of the source kafka it must be kafka://host:port/topic.")
        return cls(found[1], found[2], config)

    def poll(self, since: Offsets, most: int) -> "Polled":
        """At most `most` messages from `since` on; of a partition that it does not name, from its beginning.

        Raises BadData where messages that were not read are deleted and data.kafka.gap is stop, Unavailable.
        """
        with self._consumer() as consumer:
            starts = {p: self._start(consumer, p, since.get(p)) for p in self._partitions(consumer)}
            consumer.assign([TopicPartition(self.name, p, at) for p, at in starts.items()])
            return _drained(consumer, starts, most, self.name)

    def commit(self, offsets: Offsets) -> None:
        """Tell the brokers how far the group has read. Raises Unavailable."""
        with self._consumer() as consumer:
            consumer.commit(offsets=[TopicPartition(self.name, p, at) for p, at in offsets.items()], asynchronous=False)

    @contextmanager
    def _consumer(self) -> Iterator[Consumer]:
        consumer = Consumer(self._settings())
        try:
            yield consumer
        except KafkaException as error:
            raise Unavailable(
                f"Kafka at {self.brokers} did not answer for {self.name}: {error.args[0].str()}. Check data.events and "
                "data.kafka.options, run again."
            ) from None
        finally:
            consumer.close()

    def _settings(self) -> dict[str, str | int | float | bool]:
        return {
            **self.config.options,
            "bootstrap.servers": self.brokers,
            "group.id": self.config.group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "log_level": 2,
        }

    def _partitions(self, consumer: Consumer) -> list[int]:
        found = consumer.list_topics(self.name, timeout=SECONDS).topics[self.name]
        if found.error is not None:
            raise BadData(f"{self.brokers} has no topic {self.name}: {found.error.str()}. Check data.events.")
        return sorted(found.partitions)

    def _start(self, consumer: Consumer, partition: int, wanted: int | None) -> int:
        """Where to begin; the oldest message that is kept where nothing was read before."""
        low, high = consumer.get_watermark_offsets(TopicPartition(self.name, partition), timeout=SECONDS)
        if wanted is None or low <= wanted <= high:
            return low if wanted is None else wanted
        if self.config.gap == "accept":
            return int(low)
        raise BadData(
            f"{self.name}, partition {partition}: the next message to read has offset {wanted:,}, and the topic holds {low:,} "
            f"to {high:,}. It was deleted or made anew. Keep messages longer (retention.ms) and read more often; to go on "
            "without what is lost, set data.kafka.gap: accept."
        )


@dataclass(frozen=True)
class Polled:
    """messages: SCHEMA, by partition and offset. following: where the next poll begins."""

    messages: pl.DataFrame
    following: dict[int, int]


def _drained(consumer: Consumer, starts: Offsets, most: int, topic: str) -> Polled:
    """Consume until every partition has ended once, or `most` messages are read."""
    following, ended, silent = dict(starts), set[int](), 0
    rows: list[tuple[int, int, str | None]] = []
    while len(ended) < len(starts) and len(rows) < most:
        batch = consumer.consume(min(BATCH, most - len(rows)), timeout=PAUSE)
        silent = 0 if batch else silent + 1
        if silent == SILENCES:
            raise Unavailable(f"{topic} gave no message for {SILENCES * PAUSE:.0f} s. Check its brokers, run again.")
        for message in batch:
            partition, offset = _place(message)
            if _end(message):
                ended.add(partition)
            else:
                rows.append((partition, offset, _text(message)))
            following[partition] = max(following[partition], offset + (0 if _end(message) else 1))
    messages = pl.DataFrame(rows, schema=SCHEMA, orient="row").drop_nulls("value").sort("partition", "offset")
    return Polled(messages, following)


def _end(message: Message) -> bool:
    """Whether it only says that a partition has no more. Raises KafkaException for another error."""
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return error is not None


def _place(message: Message) -> tuple[int, int]:
    partition, offset = message.partition(), message.offset()
    if partition is None or offset is None:
        raise KafkaException(message.error() or KafkaError(KafkaError._FAIL))
    return partition, offset


def _text(message: Message) -> str | None:
    """None for a message without a value, which only tells a compacted topic to forget a key."""
    value = message.value()
    return value.decode(errors="replace") if isinstance(value, bytes) else value
