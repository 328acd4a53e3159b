"""How a client sends, waits and writes: by blocking its thread, or on an event loop.

Both are written as coroutines, so that what a client does is written once. Those of `Blocking` never suspend.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

import httpx

T = TypeVar("T")


class Transport(Protocol):
    """What a conversation with a service needs of the world."""

    async def request(self, method: str, path: str, *, body: Any, query: dict[str, str]) -> httpx.Response:
        """One request. Raises httpx.TransportError."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    async def disk(self, work: Callable[[], T]) -> T:
        """Do what waits for the disk."""

    async def close(self) -> None:
        """Close the connections."""


class Blocking:
    """The thread that calls waits; threads may share it."""

    def __init__(self, http: httpx.Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self.http, self.pause = http, sleep

    async def request(self, method: str, path: str, *, body: Any, query: dict[str, str]) -> httpx.Response:
        """One request. Raises httpx.TransportError."""
        return self.http.request(method, path, json=body, params=query)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        self.pause(seconds)

    async def disk(self, work: Callable[[], T]) -> T:
        """Do what waits for the disk."""
        return work()

    async def close(self) -> None:
        """Close the connections."""
        self.http.close()


class OnLoop:
    """The event loop goes on meanwhile; it belongs to one."""

    def __init__(self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.http, self.pause = http, sleep

    async def request(self, method: str, path: str, *, body: Any, query: dict[str, str]) -> httpx.Response:
        """One request. Raises httpx.TransportError."""
        return await self.http.request(method, path, json=body, params=query)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self.pause(seconds)

    async def disk(self, work: Callable[[], T]) -> T:
        """Do what waits for the disk."""
        return await asyncio.to_thread(work)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Coroutine over `Blocking` -> its result: it suspends nowhere, so that one step is all of it."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise AssertionError("a blocking transport suspended")
