import stat

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recloop.client import Client, Event, Full, Later, Outbox, Result
from recloop.errors import Unavailable


def event(name, item="a"):
    return Event(event_id=name, user_id="u", item_id=item, event="view")


@pytest.fixture
def opened(service, tmp_path):
    """Function: what answers -> a client with an outbox in tmp_path."""

    def start(answers=service):
        settings = {"transport": httpx.MockTransport(answers), "clock": lambda: 7.0, "sleep": lambda _: None}
        return Client("http://service", outbox=tmp_path / "outbox.db", **settings)

    return start


def test_events_of_a_service_that_is_away_are_queued_and_sent_by_the_next_client(service, opened):
    with opened() as client:
        service.failures = [httpx.ConnectError("down")]
        assert [result.status for result in client.send([event("1"), event("2")])] == ["queued", "queued"]
    with opened() as client:
        assert [result.status for result in client.send([event("3")])] == ["accepted"]
        assert len(client.outbox) == 0
    assert list(service.counted) == ["1", "2", "3"]


def test_an_event_that_waited_happened_when_it_was_made(service, opened):
    with opened() as client:
        client.send([event("1")])
    assert service.counted["1"]["time"] == 7.0


def test_an_answer_that_was_lost_doubles_nothing(service, opened):
    def took_it_and_fell_silent(request):
        service.failures = []
        service(request)
        raise httpx.ReadError("gone")

    with opened(took_it_and_fell_silent) as client:
        assert client.send([event("1")])[0].status == "queued"
    with opened() as client:
        assert [result.status for result in client.flush()] == ["duplicate"]
        assert len(client.outbox) == 0


def test_what_the_service_rejects_is_kept_aside_with_its_reason(service, opened):
    with opened() as client:
        assert [result.status for result in client.send([event("1", "bad"), event("2")])] == ["rejected", "accepted"]
        assert [(body["event_id"], reason) for body, reason in client.outbox.rejected()] == [("1", "bad item")]
        assert len(client.outbox) == 0


def test_a_flush_says_that_the_service_is_away_and_keeps_everything(service, opened):
    with opened() as client:
        service.failures = [httpx.ConnectError("down")] * 9
        client.send([event("1")])
        with pytest.raises(Later):
            client.flush()
        assert len(client.outbox) == 1


def test_a_full_outbox_takes_all_of_a_batch_or_nothing(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", most=2)
    outbox.put([{"event_id": "1"}])
    with pytest.raises(Full, match="holds 2 events"):
        outbox.put([{"event_id": "2"}, {"event_id": "3"}])
    assert [body["event_id"] for body in outbox.oldest()] == ["1"]
    outbox.close()


def test_one_event_waits_once(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db")
    outbox.put([{"event_id": "1"}, {"event_id": "1"}])
    assert len(outbox) == 1
    outbox.close()


def test_a_full_outbox_keeps_no_more_than_so_many_rejected_events_and_the_newest(tmp_path):
    outbox = Outbox(tmp_path / "outbox.db", most=2)
    for name in "cab":
        outbox.put([{"event_id": name}])
        outbox.settle([Result(event_id=name, status="rejected", reason="odd")])
    assert [body["event_id"] for body, _ in outbox.rejected()] == ["a", "b"]
    outbox.close()


def test_an_outbox_of_ones_own_is_used_as_it_is(service, tmp_path):
    own = Outbox(tmp_path / "o.db", most=1)
    with Client("http://s", outbox=own, transport=httpx.MockTransport(service)) as client, pytest.raises(Full):
        client.send([event("1"), event("2")])


def test_a_file_that_is_no_outbox_is_named(tmp_path):
    (tmp_path / "o.db").write_text("notes of mine, " * 100)
    with pytest.raises(Unavailable, match=r"o\.db cannot be used: file is not a database"):
        Outbox(tmp_path / "o.db")
    assert (tmp_path / "o.db").read_text().startswith("notes of mine")


def test_nobody_else_may_read_what_waits(tmp_path):
    Outbox(tmp_path / "o.db").close()
    assert stat.S_IMODE((tmp_path / "o.db").stat().st_mode) == 0o600


FAILURES = st.lists(st.sampled_from(["down", 503, 429]), max_size=4)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(failures=st.lists(FAILURES, min_size=1, max_size=5))
def test_whatever_fails_every_event_counts_once(tmp_path_factory, service, failures):
    """One event is sent after each run of failures; at the end the service has each of them once."""
    service.counted.clear()
    path = tmp_path_factory.mktemp("client") / "outbox.db"
    for n, run in enumerate(failures):
        service.failures = [httpx.ConnectError("down") if f == "down" else httpx.Response(f) for f in run]
        with Client("http://s", outbox=path, transport=httpx.MockTransport(service), sleep=lambda _: None) as client:
            client.send([event(str(n))])
    service.failures = []
    with Client("http://s", outbox=path, transport=httpx.MockTransport(service)) as client:
        client.flush()
        assert len(client.outbox) == 0
    assert sorted(service.counted) == [str(n) for n in range(len(failures))]
