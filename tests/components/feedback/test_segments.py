from datetime import UTC, datetime

import pytest

from recloop.data.events import EVENT_SCHEMA
from recloop.errors import BadData
from recloop.feedback.segments import ANSWER_SCHEMA, frames

ANSWER = {
    "kind": "answer",
    "receipt_id": "r1",
    "time": 1_500_000_000.25,
    "user_id": "u",
    "release": "A",
    "generation": 1,
    "items": ["a", "b"],
    "scores": [2, 1.5],
    "origins": ["history", "history+popularity"],
    "policy": "top_k",
    "propensity": 1.0,
}
EVENT = {"kind": "event", "event_id": "e1", "user_id": "u", "item_id": "a", "event": "purchase", "time": 1_500_000_001}


def test_an_answer_becomes_one_row_with_its_lists():
    answers, _ = frames([ANSWER])
    assert answers.schema == ANSWER_SCHEMA
    assert answers.row(0, named=True) == {
        **{k: v for k, v in ANSWER.items() if k != "kind"},
        "asked": "for_you",
        "time": datetime(2017, 7, 14, 2, 40, 0, 250_000, tzinfo=UTC),
    }


def test_an_answer_tells_the_kind_of_its_request():
    answers, _ = frames([ANSWER | {"request": {"user_id": "u", "kind": "similar"}}])
    assert answers["asked"].to_list() == ["similar"]


def test_an_event_gets_the_canonical_columns_and_defaults():
    _, events = frames([EVENT | {"price": 3}])
    assert events.schema == EVENT_SCHEMA
    assert events.select("price", "quantity", "discount", "rating", "basket_id").row(0) == (3.0, 1.0, 0.0, None, None)


def test_a_record_journaled_twice_counts_once():
    answers, events = frames([ANSWER, EVENT, EVENT, ANSWER])
    assert (answers.height, events.height) == (1, 1)


def test_events_come_sorted_by_time_then_id():
    late, early = EVENT | {"event_id": "e0", "time": 1_600_000_000}, EVENT | {"event_id": "e2"}
    _, events = frames([late, early, EVENT])
    assert events["event_id"].to_list() == ["e1", "e2", "e0"]


def test_an_empty_journal_gives_empty_tables_with_their_columns():
    answers, events = frames([])
    assert (answers.schema, events.schema) == (ANSWER_SCHEMA, EVENT_SCHEMA)


def test_an_anonymous_answer_has_no_user():
    answers, _ = frames([ANSWER | {"user_id": None}])
    assert answers["user_id"].to_list() == [None]


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(BadData, match="'shipment'"):
        frames([{"kind": "shipment"}])


def test_an_event_without_its_item_is_refused_with_the_count():
    with pytest.raises(BadData, match="Of 2 event records in the journal 1 without item_id"):
        frames([EVENT, EVENT | {"event_id": "e2", "item_id": None}])
