import asyncio
import inspect
import json

import httpx
import pytest
from pydantic import ValidationError

from recloop.client import Ask, AsyncClient, Client, Event, Later, Patience, Refused
from recloop.client.calls import BATCH
from recloop.client.conversation import Conversation
from recloop.errors import BadConfig, BadRequest
from recloop.serving.bodies import LIMIT


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(service, slept):
    with Client("http://service", key="secret", transport=httpx.MockTransport(service), sleep=slept.append) as made:
        yield made


def view(name="e1", item="a", **more):
    return Event(event_id=name, user_id="u", item_id=item, event="view", **more)


def test_an_answer_is_typed_and_entries_of_a_newer_service_are_passed_over(client, service, answer):
    service.failures = [httpx.Response(200, json=answer | {"of_a_newer_service": 1})]
    found = client.recommend(Ask(user_id="u", k=1))
    assert (found.receipt_id, found.items[0].item_id, found.items[0].origins) == ("r", "a", ("knn",))
    assert json.loads(service.seen[0].content) == {"user_id": "u", "k": 1}
    assert service.seen[0].headers["authorization"] == "Bearer secret"


def test_an_answer_whose_chance_a_rule_took_away_and_an_item_that_no_model_scored_are_read(client, service, answer):
    inserted = answer["items"][0] | {"score": None, "rules": ["pinned:hero"]}
    service.failures = [httpx.Response(200, json=answer | {"propensity": None, "items": [inserted]})]
    found = client.recommend(Ask(user_id="u"))
    assert (found.propensity, found.items[0].score, found.items[0].rules) == (None, None, ("pinned:hero",))


def test_a_question_that_is_wrong_is_refused_before_it_is_sent(client, service):
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        client.recommend(Ask(user_id="u", k=0))
    assert not service.seen


def test_an_item_id_with_a_slash_reaches_its_route(client, service, answer):
    service.failures = [httpx.Response(200, json=answer)]
    client.similar("a/b c", k=3)
    assert service.seen[0].url.raw_path == b"/v1/items/a%2Fb%20c/similar?k=3"


def test_an_event_is_sent_again_under_the_same_name_until_the_service_answers(client, service, slept):
    service.failures = [httpx.ConnectError("down"), httpx.Response(503)]
    assert [result.status for result in client.send([view()])] == ["accepted"]
    assert len({request.content for request in service.seen}) == 1
    assert (len(service.seen), len(slept)) == (3, 2)


def test_the_wait_that_the_service_asks_for_is_kept(client, service, slept):
    service.failures = [httpx.Response(429, headers={"Retry-After": "3"})]
    client.send([view()])
    assert slept == [3.0]


def test_a_service_that_asks_for_more_patience_than_one_has_is_not_asked_again(client, service, slept):
    service.failures = [httpx.Response(503, headers={"Retry-After": "60"}, json={"detail": "closed"})]
    with pytest.raises(Later, match="503: closed") as caught:
        client.send([view()])
    assert (caught.value.seconds, slept) == (60.0, [])


def test_it_gives_up_after_its_attempts(client, service, slept):
    service.failures = [httpx.Response(503)] * 9
    with pytest.raises(Later):
        client.send([view()])
    assert len(service.seen) == Patience().attempts


@pytest.mark.parametrize(("status", "error"), [(401, Refused), (403, Refused), (404, BadRequest), (413, BadRequest)])
def test_what_no_attempt_can_mend_is_not_tried_again(client, service, status, error):
    body = {"detail": "no such key", "errors": [{"field": "user_id", "detail": "x"}]}
    service.failures = [httpx.Response(status, json=body)]
    with pytest.raises(error, match="no such key"):
        client.send([view()])
    assert len(service.seen) == 1


def test_what_a_proxy_answered_is_shown(client, service):
    service.failures = [httpx.Response(404, text="<html>nginx")]
    with pytest.raises(BadRequest, match="nginx"):
        client.send([view()])


@pytest.mark.parametrize("page", [httpx.Response(200, text="<html>log in"), httpx.Response(200, json=["other"])])
def test_a_page_of_a_proxy_is_no_answer_and_is_asked_again(client, service, page):
    service.failures = [page]
    assert client.send([view()])[0].status == "accepted"
    service.failures = [page] * 9
    with pytest.raises(Later, match="no answer of a service"):
        client.recommend(Ask(user_id="u"))


@pytest.mark.parametrize("body", ["<html>", '{"detail": "too odd", "errors": [{"field": "events", "detail": "x"}]}'])
def test_a_refusal_that_is_not_about_each_event_rejects_none_of_them(client, service, body):
    service.failures = [httpx.Response(422, text=body)]
    with pytest.raises(BadRequest, match="422"):
        client.send([view()])


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "localhost", "", "ftp://service"])
def test_an_address_that_is_none_is_said_at_once(url):
    with pytest.raises(BadConfig, match="names no service"):
        Client(url)


def test_the_longest_events_of_one_request_are_below_what_the_service_takes(client, service):
    odd = dict.fromkeys(("event_id", "user_id", "item_id", "basket_id", "store_id"), "\x01" * 200)
    numbers = dict.fromkeys(("price", "quantity", "rating"), 0.1234567890123456789)
    client.send([Event(**(odd | {"event_id": f"{n:0200}"}), **numbers, event="purchase") for n in range(BATCH)])
    assert len(service.seen[0].content) + 1000 * BATCH < LIMIT


def test_both_clients_say_the_same():
    said = [name for name, value in vars(Conversation).items() if inspect.iscoroutinefunction(value) and name[0] != "_"]
    assert all(inspect.signature(vars(Client)[name]) == inspect.signature(getattr(AsyncClient, name)) for name in said)


def test_many_events_go_in_batches_and_each_has_its_result(client, service):
    results = client.send([view(f"e{n}", "bad" if n == BATCH else "a") for n in range(BATCH + 1)])
    assert len(service.seen) == 2
    assert (results[0].status, results[-1]) == ("accepted", results[-1])
    assert (results[-1].event_id, results[-1].status, results[-1].reason) == (f"e{BATCH}", "rejected", "bad item")


def test_where_no_event_is_valid_each_has_its_own_reason(client, service):
    errors = [{"field": f"events.{n}.time", "detail": f"reason {n}"} for n in range(2)]
    service.failures = [httpx.Response(422, json={"detail": "none", "errors": errors})]
    assert [result.reason for result in client.send([view("1"), view("2")])] == ["reason 0", "reason 1"]


def test_the_asynchronous_client_does_the_same(service, answer, tmp_path):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    async def ask():
        settings = {"transport": httpx.MockTransport(service), "sleep": sleep, "outbox": tmp_path / "outbox.db"}
        async with AsyncClient("http://service", **settings) as client:
            service.failures = [httpx.Response(429, headers={"Retry-After": "2"}), httpx.Response(200, json=answer)]
            found = await client.recommend(Ask(user_id="u"))
            service.failures = [httpx.ReadTimeout("slow")]
            queued = await client.send([view()])
            return found, queued, await client.flush()

    found, queued, flushed = asyncio.run(ask())
    assert (found.items[0].title, slept) == ("Tea", [2.0])
    assert [queued[0].status, flushed[0].status] == ["queued", "accepted"]
