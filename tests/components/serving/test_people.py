import pytest

from recloop.serving.people import renamed_ask, renamed_records
from recloop.serving.schemas import Ask


def rename(ids):
    return [f"kept-{id_}" for id_ in ids]


def journaled(server):
    server.journal.append([]).result()
    return b"".join(path.read_bytes() for path in sorted(server.journal.folder.iterdir()) if path.is_file())


@pytest.fixture
def renaming(served, engine):
    with served(engine, rename=rename) as running:
        yield running


def test_the_journal_holds_no_id_as_it_was_sent(renaming, purchase):
    event = purchase("order 815", user_id="person 4711", item_id="l", basket_id="basket 99")
    renaming.client.post("/v1/events", json=event)
    renaming.client.post("/v1/recommendations", json={"user_id": "person 4711"})
    found = journaled(renaming)
    for id_ in (b"person 4711", b"order 815", b"basket 99"):
        assert found.count(id_) == found.count(b"kept-" + id_) > 0


def test_what_a_person_did_is_known_to_the_next_question_under_the_same_id(renaming, purchase):
    sent = renaming.client.post("/v1/events", json=purchase("1", user_id="new", item_id="l")).json()
    assert sent["results"] == [{"event_id": "1", "status": "accepted"}]
    history = renaming.client.get("/v1/users/new/history").json()
    assert (history["user_id"], history["events"]) == ("kept-new", 1)


def test_an_event_that_is_sent_again_is_told_by_its_renamed_id(renaming, purchase):
    status = [renaming.client.post("/v1/events", json=purchase("1")).json()["results"][0]["status"] for _ in range(2)]
    assert status == ["accepted", "duplicate"]


def test_without_renaming_records_and_questions_stay_as_they_are():
    ask, record = Ask(user_id="u"), {"kind": "event", "event_id": "1", "user_id": "u", "basket_id": None}
    assert renamed_ask(ask, None) is ask
    assert renamed_records([record], None) == [record]
    assert renamed_records([record], rename) == [record | {"event_id": "kept-1", "user_id": "kept-u"}]


def test_a_visitor_without_an_id_has_none_to_rename():
    ask = Ask(session=["a"])
    assert renamed_ask(ask, rename) is ask
