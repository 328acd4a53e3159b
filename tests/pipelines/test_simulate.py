import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import orjson
import polars as pl
import pytest

from recloop.errors import BadConfig, Unavailable
from recloop.simulator.shop import Habits, Shop
from recloop.simulator.shoppers import Traits, shoppers
from recloop_pipelines.settings import settings
from recloop_pipelines.simulate import World, planted, simulate

SHOP = Shop(
    items=tuple("abcdefgh"),
    fame=np.full(8, 1 / 8),
    groups=np.arange(8) % 2,
    prices=np.full(8, 2.0),
    habits=Habits(visits=0.9, basket=2.0, spread=1.0, repeat=0.3),
)
TRAITS = Traits(users=30, usual=3, churn=0.0, attraction=0.5, examined=1.0)


class Service(BaseHTTPRequestHandler):
    """Recommends a, b and what the shop does not sell; users of odd names are in the new variant."""

    seen: list
    refuse: list

    def do_GET(self):
        self.tell(200, {})

    def do_POST(self):
        body = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append((self.path, body))
        if self.path == "/v1/events":
            self.tell(202, {"results": [{"status": "accepted"} for _ in body["events"]]})
            return
        if self.refuse:
            self.tell(self.refuse.pop(), {})
            return
        variant = "new" if int(body["user_id"][-1]) % 2 else "old"
        items = [{"item_id": item} for item in "abz"]
        self.tell(200, {"items": items, "release": "r" * 64, "experiments": {"x": variant}})

    def tell(self, status, body):
        data = orjson.dumps(body)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def service(monkeypatch):
    kind = type("Own", (Service,), {"seen": [], "refuse": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("RECLOOP_SERVICE", f"http://127.0.0.1:{server.server_port}")
    settings.cache_clear()
    yield kind
    server.shutdown()
    thread.join()
    server.server_close()


def played(plant=None, days=4, first=0):
    own = World(shoppers(SHOP, TRAITS), datetime(2026, 1, 1, tzinfo=UTC), pl.DataFrame())
    return own, simulate(own, days=days, first=first, k=3, plant=plant or {}, progress=lambda what, share: None)


def test_everybody_asks_before_buying_and_the_events_are_the_shops(service):
    own, seen = played()
    asked = [body for path, body in service.seen if path == "/v1/recommendations"]
    assert len(asked) == seen.visits == sum(len(own.people.visitors(day)) for day in range(4))
    events = [event for path, body in service.seen if path == "/v1/events" for event in body["events"]]
    assert {event["event"] for event in events} == {"click", "purchase"}
    assert {event["item_id"] for event in events} <= set(SHOP.items)
    assert len({event["event_id"] for event in events}) == len(events)
    assert all(event["time"] > own.start.timestamp() for event in events)
    assert (seen.failed, seen.rejected) == (0, 0)


def test_a_planted_effect_shows_in_its_variant_alone(service):
    _, plain = played()
    _, more = played({("x", "new"): 1.0})
    assert more.groups["x: old"] == plain.groups["x: old"]
    assert more.groups["x: new"]["hits"] > 1.3 * plain.groups["x: new"]["hits"]
    assert more.groups["x: new"]["clicks"] == plain.groups["x: new"]["clicks"]


def test_days_may_go_on_where_others_ended(service):
    played(days=3)
    at_once = [path_and_body for path_and_body in service.seen if path_and_body[0] == "/v1/events"]
    service.seen.clear()
    for day in range(3):
        played(days=1, first=day)
    by_day = [path_and_body for path_and_body in service.seen if path_and_body[0] == "/v1/events"]
    assert sorted(map(str, by_day)) == sorted(map(str, at_once))


def test_what_is_refused_for_good_is_counted_and_the_others_go_on(service):
    service.refuse.append(422)
    _, seen = played(days=1)
    assert seen.failed == 1
    assert seen.visits > 10


def test_without_a_service_it_says_how_to_start_one(monkeypatch):
    monkeypatch.setenv("RECLOOP_SERVICE", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(Unavailable, match="recloop serve"):
        played()


def test_effects_are_read_as_people_write_them():
    assert planted(["greedy:treatment:+5%", "x:new:-10%"]) == {("greedy", "treatment"): 0.05, ("x", "new"): -0.1}
    with pytest.raises(BadConfig, match="EXPERIMENT:VARIANT"):
        planted(["greedy=5"])
