import json
import socket
from importlib import resources

import pytest

from recloop.config import EdgeConfig
from recloop.feedback.segments import frames
from recloop.serving.audit import Audit
from recloop.serving.journal import ACTIVE, read_segment
from recloop.serving.keys import Keys, hashed

SHOP = "https://shop.example"


@pytest.fixture
def edged(served, engine, tmp_path, keys):
    """Function: fields of the section edge -> a running Server with keys and an audit log."""

    def start(**fields):
        config = EdgeConfig.model_validate(fields)
        return served(engine, keys=keys, around=config, audit=Audit(tmp_path / "audit.jsonl"))

    return start


def ask(client, **headers):
    return client.post("/v1/recommendations", json={"user_id": "u0"}, headers=headers)


def preflight(client, origin):
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    return client.options("/v1/events", headers=headers)


def test_pages_of_named_origins_may_call_and_others_not(edged):
    with edged(origins=[SHOP]) as server:
        allowed, refused = preflight(server.client, SHOP), preflight(server.client, "https://rival.example")
        assert ask(server.client, Origin=SHOP).headers["access-control-allow-origin"] == SHOP
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, SHOP)
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


def test_a_refusal_reaches_the_page_that_asked(edged):
    with edged(origins=[SHOP], address_requests_per_minute=1) as server:
        answers = [ask(server.client, Origin=SHOP) for _ in range(3)]
        assert 'recloop_requests_refused_total{reason="rate"}' in server.client.get("/metrics").text
    assert answers[-1].status_code == 429
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert answers[-1].headers["access-control-allow-origin"] == SHOP
    assert int(answers[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize("origin", ["*", "shop.example", "https://shop.example/page"])
def test_an_origin_that_is_none_is_refused(origin):
    with pytest.raises(ValueError, match="origin"):
        EdgeConfig(origins=(origin,))


def test_recommendations_ask_for_a_key_where_the_configuration_says_so(edged):
    with edged(read_needs_key=True) as server:
        statuses = [ask(server.client, **headers).status_code
                    for headers in ({}, {"X-API-Key": "writer"}, {"X-API-Key": "reader"})]  # fmt: skip
        assert server.client.get("/v1/items/a/similar").status_code == 401
    assert statuses == [401, 403, 200]


def test_what_an_administrator_changes_is_in_the_audit_log(edged, tmp_path):
    with edged() as server:
        server.client.post("/v1/journal/seal", headers={"X-API-Key": "boss"})
        server.client.post("/v1/journal/seal", headers={"X-API-Key": "writer"})
        server.client.get("/v1/users/u0/history", headers={"X-API-Key": "boss"})
    found = [(line["who"], line["detail"]["path"], line["detail"]["status"])
             for line in Audit(tmp_path / "audit.jsonl").lines()]  # fmt: skip
    assert found == [("boss", "/v1/journal/seal", 200)]


def test_a_service_without_keys_logs_what_its_machine_changes(served, engine, tmp_path):
    audit = Audit(tmp_path / "audit.jsonl")
    with served(engine, audit=audit) as server:
        server.client.post("/v1/journal/seal")
    assert [line["who"] for line in audit.lines()] == ["anybody on this machine"]


def test_a_body_that_does_not_arrive_in_time_is_refused(edged):
    with edged(body_seconds=0.05) as server, socket.create_connection(server.socket.getsockname()) as line:
        line.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        assert line.recv(100).startswith(b"HTTP/1.1 408")


def test_responses_are_counted_by_status(edged):
    with edged() as server:
        server.client.get("/v1/nothing")
        assert 'recloop_responses_total{status="404"} 1.0' in server.client.get("/metrics").text


def test_events_that_do_not_count_are_journaled_with_their_flag_and_never_learnt(edged, purchase):
    with edged(abuse={"repeats_per_day": 1}) as server:
        events = [purchase(str(n), user_id="bot") for n in range(4)]
        sent = server.client.post("/v1/events", json={"events": events}, headers={"X-API-Key": "writer"})
        assert {result["status"] for result in sent.json()["results"]} == {"accepted"}
        records = read_segment(server.journal.folder / ACTIVE)
        assert 'recloop_events_flagged_total{flag="bot"} 2.0' in server.client.get("/metrics").text
    assert [record.get("flag") for record in records] == [None, "repeat", "bot", "bot"]
    assert frames(records)[1]["event_id"].to_list() == ["0"]


def test_a_batch_that_is_sent_again_makes_nobody_a_bot(edged, purchase):
    with edged(abuse={"repeats_per_day": 1}) as server:
        for _ in range(4):
            server.client.post("/v1/events", json=purchase("1", user_id="new"), headers={"X-API-Key": "writer"})
        server.client.post(
            "/v1/events", json=purchase("2", user_id="new", item_id="b"), headers={"X-API-Key": "writer"}
        )
        assert "flag" not in read_segment(server.journal.folder / ACTIVE)[-1]


def test_a_pages_key_is_watched_by_its_address(served, engine, tmp_path, purchase):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps([hashed("page", "page", ("write",), public=True)]))
    config = EdgeConfig.model_validate({"abuse": {"users_per_address": 1}})
    with served(engine, keys=Keys.load(path), around=config) as server:
        events = [purchase(str(n), user_id=f"u{n}") for n in range(2)]
        server.client.post("/v1/events", json={"events": events}, headers={"X-API-Key": "page"})
        assert [r.get("flag") for r in read_segment(server.journal.folder / ACTIVE)] == [None, "repeat"]


def test_the_snippet_is_small_and_served_as_a_script(edged):
    with edged() as server:
        found = server.client.get("/recloop.js")
    assert found.headers["content-type"].startswith("text/javascript")
    assert found.content == resources.files("recloop.serving.snippet").joinpath("recloop.js").read_bytes()
    assert len(found.content) < 3000
    assert found.content.isascii()


def test_the_problems_that_a_caller_meets_are_documented(edged):
    with edged() as server:
        document = server.client.get("/openapi.json").json()
    described = document["paths"]["/v1/events"]["post"]["responses"]
    assert {"401", "403", "413", "422", "429", "503"} <= described.keys()
    assert described["429"]["content"].keys() == {"application/problem+json"}
