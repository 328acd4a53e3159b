"""Swaps under load: every answer is held against the release that it names."""

import asyncio
import json
import random
import time
from pathlib import Path
from typing import Any

import aiohttp
import service

CONNECTIONS = 16


def swaps(folder: Path, config: Path, bundles: dict[str, Path], users: list[str], count: int) -> dict[str, Any]:
    """Move the pointer `count` times between bundles (by the prefix of their item ids) while 16 clients ask.

    failed_requests: those without a list; refused_requests: those among them that met 503. grown_mb: of the service's memory.
    """
    releases = {prefix: service.publish(folder, bundle, f"r{n}") for n, (prefix, bundle) in enumerate(bundles.items())}
    first = next(iter(releases))
    generation = service.point(folder, releases[first], None).generation
    with service.serving(folder, config) as running:
        before = running.memory_mb
        found = asyncio.run(_swapped(running, folder, releases, users, count, generation))
        return found | {"grown_mb": round(running.memory_mb - before)}


async def _swapped(running, folder, releases, users, count, generation):
    prefixes = {digest: prefix for prefix, (_, digest) in releases.items()}
    tally = {"requests": 0, "failed_requests": 0, "refused_requests": 0, "mixed_answers": 0}
    stop = asyncio.Event()
    async with aiohttp.ClientSession(running.url) as session:
        clients = [asyncio.create_task(_client(session, users, prefixes, tally, stop, n)) for n in range(CONNECTIONS)]
        seconds = []
        for n in range(count):
            wanted = list(releases)[(n + 1) % len(releases)]
            seconds.append(await _swap(session, folder, releases[wanted], generation))
            generation += 1
        stop.set()
        await asyncio.gather(*clients)
    seconds.sort()
    return {"swaps": count, **tally, "seconds": seconds[len(seconds) // 2]}


async def _swap(session, folder, release, generation):
    """Seconds from the move of the pointer to the first moment that the service says it serves the release."""
    start = time.perf_counter()
    await asyncio.to_thread(service.point, folder, release, generation)
    async with session.post("/v1/releases/reload") as response:
        assert (await response.json())["release"] == release[1]
    return time.perf_counter() - start


async def _client(session, users, prefixes, tally, stop, seed):
    rng = random.Random(seed)
    while not stop.is_set():
        tally["requests"] += 1
        try:
            async with session.post("/v1/recommendations", json={"user_id": rng.choice(users)}) as response:
                answer = await response.json(loads=json.loads)
                ok = response.status == 200 and answer["items"]
                tally["refused_requests"] += response.status == 503
        except aiohttp.ClientError:
            ok = False
        if not ok:
            tally["failed_requests"] += 1
        elif not all(item["item_id"].startswith(prefixes[answer["release"]]) for item in answer["items"]):
            tally["mixed_answers"] += 1


def visible(url: str, users: list[str], rounds: int) -> list[float]:
    """Milliseconds from an event's acknowledgement to an answer that knows it, for users that were unknown before."""
    return asyncio.run(_visible(url, rounds))


async def _visible(url, rounds):
    found = []
    async with aiohttp.ClientSession(url) as session:
        for n in range(rounds):
            user = f"new-{n}-{time.time_ns()}"
            event = {"event_id": user, "user_id": user, "item_id": "i1", "event": "purchase"}
            async with session.post("/v1/events", json=event) as response:
                assert response.status == 202, await response.text()
            start = time.perf_counter()
            known = False
            while not known:
                async with session.post("/v1/recommendations", json={"user_id": user}) as response:
                    known = response.status == 200 and "reason" not in await response.json()
            found.append(1000 * (time.perf_counter() - start))
    return sorted(found)
