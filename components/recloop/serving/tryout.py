"""A bundle is tried in a copy of the real server before it may serve."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote

import httpx

from recloop.errors import BadRelease

USERS = 30
K = 10
WAIT = 90.0
"""seconds in which the copy must be ready"""
STRANGER = "nobody-was-ever-called-this"


@dataclass(frozen=True)
class Trial:
    """What the copy showed."""

    latency_ms: float
    """median of one recommendation through HTTP"""
    answers: int


def tryout(bundle: Path, *, command: list[str], port: int, log: Path) -> Trial:
    """Start `command` (a copy of the server with this bundle on `port` of loopback), question it, stop it.

    The copy asks for no key and writes a journal of its own. Raises BadRelease naming what failed.
    """
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False) as client:
            _wait(client, process, log)
            return _question(client, bundle)
    except (httpx.HTTPError, json.JSONDecodeError, LookupError, TypeError) as error:
        what = f"{type(error).__name__}: {error}"
        raise BadRelease(f"The copy of the server with {bundle} failed: {what}. Its log ends: {_tail(log)}") from error
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise BadRelease(f"The copy of the server ended with {process.returncode}. Its log ends: {_tail(log)}")
        try:
            if client.get("/health").json()["ready"]:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise BadRelease(f"The copy of the server was not ready in {WAIT:.0f} s. Its log ends: {_tail(log)}")


def _question(client: httpx.Client, bundle: Path) -> Trial:
    users, items = (json.loads((bundle / name).read_text()) for name in ("users.json", "items.json"))
    chosen = users[:: max(1, len(users) // USERS)][:USERS]
    took, item = _known(client, chosen, min(K, len(items)))
    stranger = _answer(client, {"user_id": STRANGER, "k": K})
    _expect("reason" in stranger and stranger["items"], "an unknown user got no popular items with a reason")
    _expect(bool(_answer(client, {"session": [item]})["items"]), "a session got nothing")
    _filters(client, chosen[0], item)
    _expect(client.get(f"/v1/items/{quote(item, safe='')}/similar").status_code == 200, "similar items failed")
    _expect(client.post("/v1/recommendations", json={"k": -1}).status_code == 422, "a bad request was not refused")
    _event(client, item)
    return Trial(latency_ms=1000 * median(took), answers=len(took) + 6)


def _known(client: httpx.Client, users: list[str], k: int) -> tuple[list[float], str]:
    """Seconds of each answer, and an item that was recommended; every user gets k different items."""
    took, item = [], ""
    for user in users:
        start = time.perf_counter()
        answer = _answer(client, {"user_id": user, "k": K})
        took.append(time.perf_counter() - start)
        found = {item["item_id"] for item in answer["items"]}
        _expect(len(found) >= k, f"user {user} got {len(found)} of {k} items")
        item = answer["items"][0]["item_id"]
    _expect(bool(took), "there was no known user to ask for")
    return took, item


def _filters(client: httpx.Client, user: str, item: str) -> None:
    excluded = _answer(client, {"user_id": user, "exclude": [item]})["items"]
    _expect(item not in [found["item_id"] for found in excluded], f"the excluded item {item} was recommended")
    stocked = _answer(client, {"user_id": user, "filters": {"in_stock": [item]}})["items"]
    strange = [found["item_id"] for found in stocked if found["item_id"] != item]
    _expect(not strange, f"{strange} were recommended, where only {item} was in stock")


def _event(client: httpx.Client, item: str) -> None:
    """An event must be visible in the next answer."""
    event = {"event_id": "tryout-1", "user_id": STRANGER, "item_id": item, "event": "purchase"}
    sent = client.post("/v1/events", json=event)
    _expect(sent.status_code == 202, f"an event was answered with {sent.status_code}: {sent.text[:200]}")
    seen = _answer(client, {"user_id": STRANGER})
    _expect("reason" not in seen, "an event was not visible in the next answer")


def _answer(client: httpx.Client, body: dict[str, Any]) -> Any:
    response = client.post("/v1/recommendations", json=body)
    _expect(response.status_code == 200, f"{body} was answered with {response.status_code}: {response.text[:200]}")
    return response.json()


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise BadRelease(f"In the copy of the server {otherwise}. The release was not made.")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-600:]
