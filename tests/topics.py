"""Topics of Kafka on the mock cluster that librdkafka holds inside a producer; its brokers listen on real sockets."""

import json
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

PARTITIONS = 4


@dataclass(frozen=True)
class Cluster:
    producer: Producer
    brokers: str

    def url(self, topic: str) -> str:
        return f"kafka://{self.brokers}/{topic}"

    def send(self, topic: str, *messages: dict[str, Any] | str) -> None:
        """Messages by turns to the partitions."""
        for n, message in enumerate(messages):
            value = message if isinstance(message, str) else json.dumps(message)
            self.producer.produce(topic, value=value, partition=n % PARTITIONS)
        assert self.producer.flush(10) == 0

    def committed(self, topic: str, group: str = "recloop") -> dict[int, int]:
        """Offsets of the partitions that a group has committed."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": group})
        try:
            found = consumer.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], timeout=10)
            return {one.partition: one.offset for one in found if one.offset >= 0}
        finally:
            consumer.close()


def cluster() -> Cluster:
    producer = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 2})
    brokers = producer.list_topics(timeout=10).brokers.values()
    return Cluster(producer, ",".join(f"{b.host}:{b.port}" for b in brokers))


def order(n: int, **more: Any) -> dict[str, Any]:
    """One line of an order, a minute after the last."""
    moment = f"2024-05-01T{n // 60:02}:{n % 60:02}:00Z"
    return {
        "event_id": f"e{n}",
        "user_id": f"u{n % 7}",
        "item_id": f"i{n % 5}",
        "time": moment,
        "price": 1.5 + n,
        **more,
    }
