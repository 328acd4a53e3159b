import errno
import json
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from recloop.errors import BadConfig, Unavailable
from recloop.serving import journal as journals
from recloop.serving.admission import Admission, Overloaded
from recloop.serving.app import guard
from recloop.serving.bodies import LIMIT
from recloop.serving.engine import Engine
from recloop.serving.journal import ACTIVE, read_segment
from recloop.serving.state import State


def statuses(response):
    return [result["status"] for result in response.json()["results"]]


def fields(response):
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    return [error["field"] for error in response.json()["errors"]]


def test_a_recommendation_comes_with_its_receipt_and_is_journaled(server):
    answer = server.client.post("/v1/recommendations", json={"user_id": "u0", "k": 3}).json()
    assert {item["item_id"] for item in answer["items"][:2]} == {"a", "b"}
    server.journal.append([]).result()
    record = read_segment(server.journal.folder / ACTIVE)[0]
    assert (record["kind"], record["receipt_id"]) == ("answer", answer["receipt_id"])


def test_an_acknowledged_event_is_in_the_journal_and_in_the_next_answer(server, purchase):
    sent = server.client.post("/v1/events", json=purchase("1", user_id="new", item_id="l"))
    assert (sent.status_code, statuses(sent)) == (202, ["accepted"])
    assert read_segment(server.journal.folder / ACTIVE)[0]["event_id"] == "1"
    answer = server.client.post("/v1/recommendations", json={"user_id": "new"}).json()
    assert answer["items"][0]["item_id"] == "l"
    assert "reason" not in answer


def test_an_event_of_an_unknown_item_is_journaled(server, purchase):
    assert server.client.post("/v1/events", json=purchase("1", item_id="brand-new")).status_code == 202
    assert read_segment(server.journal.folder / ACTIVE)[0]["item_id"] == "brand-new"


def test_a_duplicate_changes_nothing(server, purchase):
    body = {"events": [purchase("1", user_id="new"), purchase("1", user_id="new")]}
    assert statuses(server.client.post("/v1/events", json=body)) == ["accepted", "duplicate"]
    again = server.client.post("/v1/events", json=purchase("1", user_id="new"))
    assert (again.status_code, statuses(again)) == (200, ["duplicate"])
    assert server.client.get("/v1/users/new/history").json()["events"] == 1


def test_a_bad_event_does_not_keep_the_others_back(server, purchase):
    body = {"events": [purchase("1"), {"event_id": "2"}, "nonsense", purchase("4", quantity=0), purchase("5")]}
    sent = server.client.post("/v1/events", json=body)
    assert sent.status_code == 202
    assert statuses(sent) == ["accepted", "rejected", "rejected", "rejected", "accepted"]
    assert sent.json()["results"][1]["event_id"] == "2"
    assert "events.1.user_id: Field required" in sent.json()["results"][1]["reason"]
    assert [record["event_id"] for record in read_segment(server.journal.folder / ACTIVE)] == ["1", "5"]


def test_the_name_of_a_rejected_event_that_no_utf8_can_say_is_not_repeated(server, purchase):
    content = json.dumps({"events": [purchase("1"), {"event_id": "\ud800"}]}).encode()
    sent = server.client.post("/v1/events", content=content, headers={"content-type": "application/json"})
    assert statuses(sent) == ["accepted", "rejected"]
    assert sent.json()["results"][1]["event_id"] is None


def test_a_single_bad_event_is_a_problem_that_names_the_field(server, purchase):
    sent = server.client.post("/v1/events", json=purchase("1", item_id=""))
    assert sent.status_code == 422
    assert fields(sent) == ["events.0.item_id"]


def test_a_time_in_milliseconds_is_taken_for_the_mistake_it_is(server, purchase, bundle):
    sent = server.client.post("/v1/events", json=purchase("1", time=bundle.end + 200_000))
    assert fields(sent) == ["events.0.time"]
    assert "milliseconds" in sent.json()["detail"]


def test_more_than_a_thousand_events_are_refused(server, purchase):
    sent = server.client.post("/v1/events", json={"events": [purchase(str(n)) for n in range(1001)]})
    assert (sent.status_code, fields(sent)) == (422, ["body.events"])


def test_a_full_disk_is_503_with_the_reason_and_recommendations_go_on(server, purchase, monkeypatch):
    with monkeypatch.context() as patched:

        def full(_):
            raise OSError(errno.ENOSPC, "No space left on device")

        patched.setattr(journals.os, "fdatasync", full)
        sent = server.client.post("/v1/events", json=purchase("1", user_id="new"))
        assert sent.status_code == 503
        assert "No space left" in sent.json()["detail"]
        assert sent.headers["retry-after"] == "5"
        assert server.client.post("/v1/recommendations", json={"user_id": "new"}).json()["reason"]
        assert "No space left" in server.client.get("/health").json()["degraded"]["journal"]
        # the answer's record is written after the answer
        assert any("recloop_answers_lost_total 1.0" in server.client.get("/metrics").text for _ in range(1000))
    assert statuses(server.client.post("/v1/events", json=purchase("1"))) == ["accepted"]
    assert server.client.get("/health").json()["degraded"] == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_id": "u0", "k": 0}, "body.k"),
        ({"user_id": "u0", "k": 21}, "k"),
        ({}, "user_id"),
        ({"user_id": 7}, "body.user_id"),
        ({"user_id": "u0", "kk": 3}, "body.kk"),
        ({"user_id": "u0", "filters": {"min_price": -1}}, "body.filters.min_price"),
        ({"user_id": "u0", "context": {"time": "soon"}}, "body.context.time"),
        ({"user_id": "u0", "context": {"tme": 1}}, "body.context.tme"),
        ({"user_id": "u0", "filters": {"categry": "FOOD"}}, "body.filters.categry"),
    ],
)
def test_a_bad_question_is_a_problem_that_names_the_field(server, body, field):
    response = server.client.post("/v1/recommendations", json=body)
    assert (response.status_code, fields(response)) == (422, [field])


def test_what_is_no_json_is_a_problem(server):
    response = server.client.post(
        "/v1/recommendations", content=b"{nonsense", headers={"content-type": "application/json"}
    )
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")


def test_a_body_that_is_not_called_json_is_refused(server, purchase):
    """A web page may send text/plain to loopback unasked; JSON it may not."""
    response = server.client.post("/v1/events", content=b'{"events": []}', headers={"content-type": "text/plain"})
    assert response.status_code == 422


def test_a_body_that_is_too_large_is_413(server):
    chunks = (b"x" * 100_000 for _ in range(LIMIT // 100_000 + 1))
    response = server.client.post("/v1/events", content=chunks)
    assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/v1/events", 405), ("/v1/items/zzz/similar", 404)])
def test_every_refusal_is_a_problem(server, path, status):
    response = server.client.get(path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


def test_similar_items_take_a_number(server):
    assert len(server.client.get("/v1/items/a/similar", params={"k": 2}).json()["items"]) == 2


def test_a_history_is_seen_from_the_moment_asked_for(server, bundle):
    everything = server.client.get("/v1/users/u0/history").json()
    early = server.client.get("/v1/users/u0/history", params={"at": bundle.end - 30 * 86_400}).json()
    assert 0 < early["events"] < everything["events"]


def test_health_names_the_release(server):
    assert server.client.get("/health").json() == {
        "live": True, "ready": True, "release": "first", "generation": 1, "degraded": {},
    }  # fmt: skip


def test_events_that_the_disk_cannot_keep_up_with_are_429(server, purchase, monkeypatch):
    monkeypatch.setattr(journals, "BEHIND", -1)
    sent = server.client.post("/v1/events", json=purchase("1"))
    assert (sent.status_code, sent.headers["retry-after"]) == (429, "1")
    assert "wait for the disk" in sent.json()["detail"]
    assert server.client.post("/v1/recommendations", json={"user_id": "u0"}).status_code == 200


def test_questions_that_find_the_queue_full_are_503(server, monkeypatch):
    async def full(wanted):
        raise Overloaded("128 questions wait already (serving.queue). Ask again later.")

    monkeypatch.setattr(Admission, "ask", lambda own, wanted: full(wanted))
    asked = server.client.post("/v1/recommendations", json={"user_id": "u0"})
    assert (asked.status_code, asked.headers["retry-after"]) == (503, "5")
    assert "serving.queue" in asked.json()["detail"]


def test_before_a_release_events_are_taken_and_questions_are_503(served, purchase):
    with served(Engine(State(), k=5, max_k=20)) as server:
        assert server.client.get("/health").json()["ready"] is False
        response = server.client.post("/v1/recommendations", json={"user_id": "u0"})
        assert (response.status_code, response.json()["title"]) == (503, "No release yet")
        assert statuses(server.client.post("/v1/events", json=purchase("1"))) == ["accepted"]


def test_figures_count_events_answers_and_the_release(server, purchase):
    server.client.post("/v1/recommendations", json={"user_id": "u0"})
    server.client.post("/v1/events", json={"events": [purchase("1"), purchase("1"), {}]})
    text = server.client.get("/metrics").text
    for line in (
        'recloop_answer_seconds_count{kind="recommendations"} 1.0',
        'recloop_events_total{status="accepted"} 1.0',
        'recloop_events_total{status="duplicate"} 1.0',
        'recloop_events_total{status="rejected"} 1.0',
        'recloop_release_info{digest="first",generation="1"} 1.0',
        "recloop_swaps 1.0",
    ):
        assert line in text
    assert {family.name for family in text_string_to_metric_families(text)} >= {"recloop_events", "recloop_swaps"}


def test_a_seal_closes_the_segment(server, purchase):
    server.client.post("/v1/events", json=purchase("1"))
    sealed = server.client.post("/v1/journal/seal").json()["sealed"]
    assert [path.name for path in server.journal.segments()] == [sealed]
    assert server.client.post("/v1/journal/seal").json()["sealed"] is None


@pytest.mark.parametrize(
    ("method", "path", "secret"),
    [("POST", "/v1/events", "writer"), ("GET", "/v1/users/u0/history", "reader"), ("POST", "/v1/journal/seal", "boss"),
     ("POST", "/v1/releases/reload", "boss")],
)  # fmt: skip
def test_what_needs_a_key_is_refused_without(served, engine, keys, purchase, method, path, secret):
    with served(engine, keys=keys) as server:
        body = purchase("1") if path == "/v1/events" else None
        assert server.client.request(method, path, json=body).status_code == 401
        for other in {"writer", "reader"} - {secret}:
            headers = {"authorization": f"Bearer {other}"}
            assert server.client.request(method, path, json=body, headers=headers).status_code == 403
        headers = {"authorization": f"Bearer {secret}"}
        assert server.client.request(method, path, json=body, headers=headers).status_code in (200, 202)


def test_without_keys_only_loopback_is_served(keys):
    with pytest.raises(BadConfig, match=r"0\.0\.0\.0 is not loopback"):
        guard("0.0.0.0", None)
    guard("0.0.0.0", keys)
    guard("127.0.0.1", None)


def test_a_fault_of_ours_is_a_problem_too(server, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(server.engine, "wanted", broken)
    response = server.client.post("/v1/recommendations", json={"user_id": "u0"})
    assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")


def test_what_is_down_is_503(server, monkeypatch):
    def down(*_, **__):
        raise Unavailable("later")

    monkeypatch.setattr(server.engine, "similar", down)
    assert server.client.get("/v1/items/a/similar").status_code == 503


def test_the_documentation_shows_examples_of_every_body(server):
    schemas = server.client.get("/openapi.json").json()["components"]["schemas"]
    assert all("examples" in schemas[name] for name in ("Ask", "Event", "Events"))


def test_the_page_of_the_api_needs_no_other_server(server):
    page = server.client.get("/docs").text
    parts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "https://" not in page
    assert len(parts) == 3
    assert all(server.client.get(part).status_code == 200 for part in parts)
