import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import orjson
import polars as pl
import pytest
from aiohttp import web

from recloop.data.events import EVENT_SCHEMA
from recloop.errors import Unavailable
from recloop_pipelines import replay as module
from recloop_pipelines.replay import baskets, replay

START = datetime(2017, 10, 1, tzinfo=UTC)


def purchases(*rows):
    """(event id, user, minute, item, basket) -> events"""
    return pl.from_dicts(
        [
            {"event_id": e, "user_id": u, "item_id": i, "event": "purchase", "time": START + timedelta(minutes=m),
             "price": 2.0, "quantity": 1.0, "discount": 0.0, "basket_id": b}
            for e, u, m, i, b in rows
        ],
        schema=EVENT_SCHEMA,
    )  # fmt: skip


class Service:
    """A service that recommends a, b, c and remembers what it was sent."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict]] = []
        self.keys: set[str | None] = set()
        self.refuse: dict[str, list[int]] = {"/v1/recommendations": [], "/v1/events": []}
        self.rejected: set[str] = set()
        self.inside: dict[str, int] = {}
        self.overlapped = False

    async def handle(self, request: web.Request) -> web.Response:
        if request.path == "/health":
            return web.json_response({})
        body = orjson.loads(await request.read())
        self.calls.append((request.path, body))
        self.keys.add(request.headers.get("authorization"))
        user = body["user_id"] if "user_id" in body else body["events"][0]["user_id"]
        self.inside[user] = self.inside.get(user, 0) + 1
        self.overlapped |= self.inside[user] > 1
        await asyncio.sleep(0)
        self.inside[user] -= 1
        if self.refuse[request.path]:
            return web.Response(status=self.refuse[request.path].pop(0), text="refused")
        if request.path == "/v1/events":
            states = [("rejected" if e["event_id"] in self.rejected else "accepted") for e in body["events"]]
            return web.json_response({"results": [{"status": s} for s in states]}, status=202)
        items = [{"item_id": i, "score": 1.0} for i in "abc"]
        return web.json_response({"receipt_id": f"r-{user}", "release": "A", "generation": 1, "items": items})


@contextmanager
def serving(service: Service) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    started, urls = threading.Event(), []

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", service.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        urls.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        return runner

    def run() -> None:
        runner = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(10)
    try:
        yield urls[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


TWO = purchases(("e1", "u", 0, "a", "b1"), ("e2", "u", 0, "z", "b1"), ("e3", "v", 1, "q", "b2"))


def test_each_basket_is_asked_for_before_its_purchases_are_told():
    service = Service()
    with serving(service) as url:
        replay(TWO, url=url, key="secret", k=3, concurrency=1)
    asked, told = service.calls[0], service.calls[1]
    assert asked == ("/v1/recommendations", {"user_id": "u", "k": 3, "context": {"time": START.timestamp()}})
    assert told[0] == "/v1/events"
    assert [e["event_id"] for e in told[1]["events"]] == ["e1", "e2"]
    assert [path for path, _ in service.calls[2:]] == ["/v1/recommendations", "/v1/events"]


def test_the_key_is_sent():
    service = Service()
    with serving(service) as url:
        replay(TWO, url=url, key="secret", k=3)
    assert service.keys == {"Bearer secret"}


def test_hits_and_recall_are_counted_by_basket():
    with serving(Service()) as url:
        found = replay(TWO, url=url, key=None, k=3)
    assert found.frame.select("basket_id", "hits", "hit", "recall").rows() == [
        ("b1", 1, True, 0.5),
        ("b2", 0, False, 0.0),
    ]


def test_only_the_first_k_items_count():
    with serving(Service()) as url:
        found = replay(purchases(("e1", "u", 0, "c", "b1")), url=url, key=None, k=2)
    assert found.frame["hits"].to_list() == [0]


def test_the_summary_has_one_row_a_release():
    with serving(Service()) as url:
        found = replay(TWO, url=url, key=None, k=3)
    assert found.by_release().select("release", "baskets", "users", "hit_rate", "recall").rows() == [
        ("A", 2, 2, 0.5, 0.25)
    ]


def test_a_failed_recommendation_is_counted_once_and_not_sent_again():
    service = Service()
    service.refuse["/v1/recommendations"] = [503]
    with serving(service) as url:
        found = replay(TWO, url=url, key=None, k=3, concurrency=1)
    assert (found.failed, found.frame["failure"].to_list()) == (1, ["503: refused", None])
    assert [path for path, _ in service.calls].count("/v1/recommendations") == 2
    assert found.by_release()["baskets"].to_list() == [1]


def test_events_are_told_even_when_the_recommendation_failed():
    service = Service()
    service.refuse["/v1/recommendations"] = [500, 500]
    with serving(service) as url:
        found = replay(TWO, url=url, key=None, k=3)
    assert found.lost == 0
    assert sum(len(body["events"]) for path, body in service.calls if path == "/v1/events") == 3


def test_events_are_sent_again_while_the_service_is_busy():
    service = Service()
    service.refuse["/v1/events"] = [503, 503]
    with serving(service) as url:
        assert replay(TWO, url=url, key=None, k=3, concurrency=1).lost == 0


def test_events_that_stay_unacknowledged_are_counted_as_lost():
    service = Service()
    service.refuse["/v1/events"] = [503] * 3
    with serving(service) as url:
        found = replay(TWO, url=url, key=None, k=3, concurrency=1)
    assert (found.lost, found.frame["lost"].to_list()) == (2, [2, 0])


def test_events_that_are_refused_as_wrong_are_not_sent_again():
    service = Service()
    service.refuse["/v1/events"] = [422]
    with serving(service) as url:
        assert replay(TWO, url=url, key=None, k=3, concurrency=1).lost == 2
    assert [path for path, _ in service.calls].count("/v1/events") == 2


def test_rejected_events_are_counted():
    service = Service()
    service.rejected = {"e2"}
    with serving(service) as url:
        assert replay(TWO, url=url, key=None, k=3).frame["rejected"].to_list() == [1, 0]


def test_requests_of_one_user_never_overlap_and_keep_their_order():
    service = Service()
    rows = [(f"e{n:03}", "uvw"[n % 3 if n % 2 else 0], n, "a", f"b{n:03}") for n in range(200)]
    with serving(service) as url:
        replay(purchases(*rows), url=url, key=None, k=3, concurrency=8)
    assert not service.overlapped
    for user in "uvw":
        times = [b["context"]["time"] for p, b in service.calls if p == "/v1/recommendations" and b["user_id"] == user]
        assert times == sorted(times)


def test_progress_counts_every_basket():
    seen = []
    with serving(Service()) as url:
        replay(TWO, url=url, key=None, k=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_a_service_that_is_not_there_is_unavailable_by_name():
    with serving(Service()) as url:
        pass
    with pytest.raises(Unavailable, match=url):
        replay(TWO, url=url, key=None, k=3)


def test_events_without_a_basket_are_baskets_of_their_own():
    table = baskets(purchases(("e1", "u", 0, "a", None), ("e2", "u", 0, "b", None)), k=3)
    assert table["bought"].to_list() == [["a"], ["b"]]


def test_one_basket_id_of_two_users_is_two_baskets():
    assert baskets(purchases(("e1", "u", 0, "a", "b1"), ("e2", "v", 0, "b", "b1")), k=3).height == 2


def test_baskets_come_by_time_with_the_time_of_their_first_event():
    table = baskets(purchases(("e1", "u", 5, "a", "b1"), ("e2", "u", 1, "b", "b2"), ("e3", "u", 9, "c", "b2")), k=3)
    assert table.select("basket_id", "time").rows() == [
        ("b2", START + timedelta(minutes=1)),
        ("b1", START + timedelta(minutes=5)),
    ]


def test_a_large_basket_is_told_in_several_requests(monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    table = baskets(purchases(*[(f"e{n}", "u", 0, f"i{n}", "b1") for n in range(5)]), k=3)
    assert table["sizes"].to_list() == [[2, 2, 1]]
    assert [len(orjson.loads(b)["events"]) for b in table["batches"][0]] == [2, 2, 1]


def test_no_events_give_an_empty_replay():
    with serving(Service()) as url:
        found = replay(TWO.clear(), url=url, key=None, k=3)
    assert (found.frame.height, found.failed, found.lost, found.by_release().height) == (0, 0, 0, 0)
