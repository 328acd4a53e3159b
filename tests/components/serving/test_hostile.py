"""What no honest caller sends."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recloop.serving.journal import ACTIVE, read_segment


@pytest.fixture
def post(server):
    def send(path, body):
        headers = {"content-type": "application/json"}
        return server.client.post(path, content=json.dumps(body).encode(), headers=headers)

    return send


def test_a_rejected_event_with_a_field_that_no_utf8_can_say_does_not_fail_the_batch(post, purchase):
    sent = post("/v1/events", {"events": [purchase("1"), purchase("2") | {"\ud800": 1}]})
    assert sent.status_code == 202
    assert [result["status"] for result in sent.json()["results"]] == ["accepted", "rejected"]


@pytest.mark.parametrize("name", ["\x00", "a\x00b", "\u202e", "x" * 200, "../../etc/passwd", "a'; DROP TABLE users"])
def test_a_strange_id_is_an_id_like_any_other(server, post, purchase, name):
    assert post("/v1/events", purchase(name, user_id=name, item_id=name)).status_code == 202
    assert read_segment(server.journal.folder / ACTIVE)[0]["user_id"] == name
    assert post("/v1/recommendations", {"user_id": name, "session": [name], "exclude": [name]}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/users/{}/history", "/v1/items/{}/similar"])
@pytest.mark.parametrize("name", ["%00", "%ed%a0%80", "%ff", "%2e%2e", "a%2fb", "x" * 201])
def test_no_id_in_a_path_makes_the_service_fail(server, path, name):
    assert server.client.get(path.format(name)).status_code in (200, 404, 422)


@pytest.mark.parametrize("query", ["limit=9e9", f"limit={10**30}", "at=nan", "at=1e999", "at=-1", "limit=%00"])
def test_no_query_makes_the_service_fail(server, query):
    response = server.client.get(f"/v1/users/u0/history?{query}")
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")


def test_an_id_may_hold_what_means_something_in_a_path(server, post, purchase):
    name = "box/12?x=1#2%2f"
    post("/v1/events", purchase("1", user_id=name))
    assert server.client.get(f"/v1/users/{quote(name, safe='')}/history").json()["user_id"] == name
    assert server.client.get(f"/v1/items/{quote(name, safe='')}/similar").json()["detail"].endswith(f"{name!r}.")


NAMES = ("user_id", "session", "k", "context", "exclude", "filters", "events", "event_id", "item_id", "event", "time",
         "price", "category", "in_stock", "min_price", "\ud800", "")  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["u0", "a", "purchase", "\ud800"])
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["/v1/recommendations", "/v1/events"]), JSON)
@example("/v1/recommendations", {"user_id": "\ud800"})
@example("/v1/recommendations", {"user_id": "u0", "\ud800": 1})
@example("/v1/recommendations", {"user_id": "u0", "k": 10**400})
@example("/v1/events", [{"event_id": "\ud800"}])
@example("/v1/events", {"event_id": "\ud800", "user_id": "u", "item_id": "i", "event": "purchase"})
@example("/v1/events", {"event_id": "1", "user_id": "u", "item_id": "\ud800", "event": "purchase"})
@example("/v1/events", {"events": {"\ud800": "\ud800"}})
def test_no_json_makes_the_service_fail(server, path, body):
    content = json.dumps(body).encode()
    response = server.client.post(path, content=content, headers={"content-type": "application/json"})
    assert response.status_code < 500
    response.json()


def test_json_nested_a_hundred_thousand_deep_is_refused(server):
    content = b'{"user_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    response = server.client.post("/v1/events", content=content, headers={"content-type": "application/json"})
    assert 400 <= response.status_code < 500
