"""The client for programs that run on an event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx
from tenacity import AsyncRetrying

from recloop.client import calls
from recloop.client.calls import Call, Later
from recloop.client.outbox import Outbox
from recloop.client.patience import ONCE, USUAL, Patience
from recloop.client.replies import Answer, Event, History, Result
from recloop.client.sending import headers, stamped, unsent
from recloop.serving.schemas import Ask

T = TypeVar("T")


class AsyncClient:
    """Calls of one service. Closes itself as a context manager; it belongs to one event loop.

    key: secret of an API key. outbox: file in which events wait while the service is away. timeout: seconds of one
    attempt. Every call raises Later (away, after its attempts), Refused (key) or BadRequest (names the field).
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        outbox: Path | None = None,
        timeout: float = 5.0,
        patience: Patience = USUAL,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.http = httpx.AsyncClient(base_url=url, headers=headers(key), timeout=timeout, transport=transport)
        self.outbox = Outbox(outbox) if outbox else None
        self.patience, self.clock, self.sleep = patience, clock, sleep

    async def recommend(self, ask: Ask) -> Answer:
        """The best items for a user or a session."""
        return await self._do(calls.recommend(ask))

    async def similar(self, item_id: str, *, k: int | None = None) -> Answer:
        """Items bought together with one."""
        return await self._do(calls.similar(item_id, k))

    async def history(self, user_id: str, *, limit: int = 20) -> History:
        """What the service knows of a user, newest first."""
        return await self._do(calls.history(user_id, limit))

    async def health(self) -> dict[str, Any]:
        """Whether the service is ready, its release, and what is degraded."""
        return await self._do(calls.health())

    async def send(self, events: Sequence[Event]) -> list[Result]:
        """Events -> what became of each, in order.

        With an outbox this does not raise Later: events that the service did not take are `queued`, sent with the next
        ones or by `flush`. Raises Full where the outbox has no room.
        """
        if self.outbox is None:
            return [result for batch in calls.batches(events) for result in await self._do(calls.send(batch))]
        made = stamped(events, now=self.clock())
        await asyncio.to_thread(self.outbox.put, made)
        settled: list[Result] = []
        with suppress(Later):
            await self._flush(self.outbox, ONCE, settled)
        return unsent(made, settled)

    async def flush(self) -> list[Result]:
        """Send what waits in the outbox. Raises Later where the service does not take it; what it took is settled."""
        settled: list[Result] = []
        if self.outbox:
            await self._flush(self.outbox, self.patience, settled)
        return settled

    async def close(self) -> None:
        """Close connections and outbox; what waits in it waits for the next client."""
        await self.http.aclose()
        if self.outbox:
            self.outbox.close()

    async def __aenter__(self) -> "AsyncClient":
        """Use it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def _flush(self, outbox: Outbox, patience: Patience, settled: list[Result]) -> None:
        while batch := await asyncio.to_thread(outbox.oldest):
            results = await self._do(calls.send(batch), patience)
            await asyncio.to_thread(outbox.settle, results)
            settled += results

    async def _do(self, call: Call[T], patience: Patience | None = None) -> T:
        how = patience or self.patience
        attempts = AsyncRetrying(stop=how.stop, wait=how.wait, retry=how.retry, sleep=self.sleep, reraise=True)
        return await attempts(self._once, call)

    async def _once(self, call: Call[T]) -> T:
        try:
            response = await self.http.request(call.method, call.path, json=call.body, params=call.query)
        except httpx.TransportError as error:
            raise Later(f"{self.http.base_url} did not answer: {error!r}") from error
        return call.read(response)
