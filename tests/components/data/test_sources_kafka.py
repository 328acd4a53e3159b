import pytest

from recloop.columns import Columns
from recloop.config import DataConfig, KafkaConfig
from recloop.data.sources.collect import collect, kafka
from recloop.data.sources.polling import Topic
from recloop.errors import BadConfig, BadData
from topics import cluster, order


@pytest.fixture(scope="module")
def brokers():
    return cluster()


def settings(brokers, topic, **more):
    return DataConfig(source="kafka", events=brokers.url(topic), **more)


def test_messages_become_events_and_what_is_no_event_goes_to_quarantine(brokers):
    brokers.send("mixed", order(0), "not json", order(1, price="2.5"), "[1]", order(2, user_id=None))
    events, items = collect(settings(brokers, "mixed"))
    assert events.height == 5
    assert sorted(events.drop_nulls(Columns.User)[Columns.Price]) == [1.5, 2.5]
    assert events.filter(events[Columns.Item].is_null()).height == 2
    assert items[Columns.Item].to_list() == ["i0", "i1", "i2"]


def test_fields_may_have_any_name_and_ids_are_made_of_place(brokers):
    brokers.send("odd", {"who's": "u", "a b": 7, "at": 1_714_556_400, "note": {"deep": 1}})
    events, _ = collect(settings(brokers, "odd", columns={"user_id": "who's", "item_id": "a b", "time": "at"}))
    row = events.row(0, named=True)
    assert (row["event_id"], row["user_id"], row["item_id"], row["time"].isoformat()) == (
        "odd-0-0",
        "u",
        "7",
        "2024-05-01T09:40:00+00:00",
    )


def test_a_reading_begins_where_the_last_one_ended_and_takes_no_more_than_it_may(brokers):
    brokers.send("long", *map(order, range(30)))
    first = kafka(settings(brokers, "long", kafka=KafkaConfig(max_messages=12)), None)
    seen = first.events().collect()[Columns.EventId].to_list()
    rest = kafka(settings(brokers, "long"), None, first.polled.following).events().collect()[Columns.EventId].to_list()
    assert len(seen) == 12
    assert sorted(seen + rest) == sorted(f"e{n}" for n in range(30))


def test_a_topic_made_anew_is_a_gap_that_stops_unless_it_is_accepted(brokers):
    brokers.send("anew", order(0))
    with pytest.raises(BadData, match=r"next message to read has offset 99.*data\.kafka\.gap: accept"):
        kafka(settings(brokers, "anew"), None, {0: 99}).events()
    accepting = settings(brokers, "anew", kafka=KafkaConfig(gap="accept"))
    assert kafka(accepting, None, {0: 99}).events().collect().height == 1


def test_an_empty_topic_is_no_data(brokers):
    brokers.producer.list_topics("hollow", timeout=10)
    with pytest.raises(BadData, match="hollow"):
        kafka(settings(brokers, "hollow"), None).events()


@pytest.mark.parametrize("url", ["kafka://host:9092", "kafka://host:9092/a/b", "http://host/a"])
def test_a_url_of_another_form_is_refused(url):
    with pytest.raises(BadConfig, match="kafka://host:port/topic"):
        Topic.at(url, KafkaConfig())


def test_a_secret_in_the_file_is_refused():
    with pytest.raises(ValueError, match=r"sasl\.password holds a secret"):
        KafkaConfig(options={"sasl.password": "hunter2"})
    assert KafkaConfig(options={"sasl.password": "${KAFKA_PASSWORD}"}).options
