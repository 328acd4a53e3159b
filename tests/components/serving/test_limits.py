import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.config import EdgeConfig
from recloop.serving.keys import Key, Keys, hashed
from recloop.serving.limits import Rate, RateLimit, client_of


def test_a_burst_may_come_at_once_and_then_one_request_a_gap():
    rate = Rate(burst=3, clients=10)
    assert [rate.wait("a", per_minute=60, now=0.0) for _ in range(3)] == [0, 0, 0]
    assert rate.wait("a", per_minute=60, now=0.0) == pytest.approx(1.0)
    assert rate.wait("a", per_minute=60, now=0.25) == pytest.approx(0.75)
    assert rate.wait("a", per_minute=60, now=1.0) == 0


def test_a_refused_request_is_not_counted():
    rate = Rate(burst=1, clients=10)
    waits = [rate.wait("a", per_minute=60, now=now) for now in (0.0, 0.1, 0.2, 1.0)]
    assert waits == [0, pytest.approx(0.9), pytest.approx(0.8), 0]


def test_clients_do_not_share_a_limit():
    rate = Rate(burst=1, clients=10)
    assert [rate.wait(name, per_minute=1, now=0.0) for name in "ab"] == [0, 0]


def test_the_memory_is_bounded():
    rate = Rate(burst=1, clients=2)
    for name in "abc":
        rate.wait(name, per_minute=1, now=0.0)
    assert list(rate.due) == ["b", "c"]


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 5))
def test_no_window_lets_more_through_than_the_burst_and_the_rate(gaps, burst):
    rate, now, passed = Rate(burst=burst, clients=1), 0.0, []
    for gap in gaps:
        now += gap
        if not rate.wait("a", per_minute=6, now=now):
            passed.append(now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + (passed[last] - passed[first]) / 10 + 1e-6


@pytest.mark.parametrize(
    ("key", "expected"),
    [(None, "address 1.2.3.4"), (Key("shop", "", ("write",)), "key shop"),
     (Key("page", "", ("write",), public=True), "key page 1.2.3.4")],
)  # fmt: skip
def test_a_key_is_counted_by_its_name_and_one_in_a_page_by_address_too(key, expected):
    assert client_of({"client": ("1.2.3.4", 5)}, key) == expected


NOBODY = Keys(())


def statuses(paths, *, headers=(), keys=NOBODY):
    """Statuses at one moment, where an address may ask once a minute and a key twice; how many refusals were told."""
    sent, refused = [], []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        if message["type"] == "http.response.start":
            sent.append((message["status"], dict(message["headers"]).get(b"retry-after")))

    limit = RateLimit(
        app,
        keys=keys,
        config=EdgeConfig(requests_per_minute=2, address_requests_per_minute=1),
        clock=lambda: 0.0,
        refused=lambda: refused.append(1),
    )
    for path in paths:
        scope = {"type": "http", "path": path, "headers": list(headers), "client": ("1.2.3.4", 5)}
        asyncio.run(limit(scope, None, send))
    return sent, len(refused)


def test_who_asks_too_often_is_told_when_to_come_back():
    assert statuses(["/v1/events"] * 2) == ([(200, None), (429, b"60")], 1)


def test_probes_are_never_limited():
    assert statuses(["/health", "/metrics"] * 2)[1] == 0


@pytest.mark.parametrize(
    ("per_minute", "public", "expected"),
    [(None, False, [200, 200, 429, 429]), (3, False, [200, 200, 200, 429]), (None, True, [200, 429, 429, 429])],
)
def test_a_key_may_more_than_an_address_or_what_it_says_and_a_pages_key_no_more(per_minute, public, expected):
    raw = hashed("shop", "secret", ("write",))
    keys = Keys((Key(raw["name"], raw["sha256"], ("write",), per_minute, public),))
    sent, refused = statuses(["/v1/events"] * 4, headers=[(b"x-api-key", b"secret")], keys=keys)
    assert ([status for status, _ in sent], refused) == (expected, expected.count(429))
