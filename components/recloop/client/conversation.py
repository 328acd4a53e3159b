"""Everything that a program says to a service, once for both clients."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
from tenacity import AsyncRetrying

from recloop import __version__
from recloop.client import calls
from recloop.client.calls import Call, Later
from recloop.client.outbox import Outbox
from recloop.client.patience import ONCE, Patience
from recloop.client.replies import Answer, Event, History, Result, content
from recloop.client.transports import Transport
from recloop.errors import BadConfig
from recloop.serving.schemas import Ask

T = TypeVar("T")


class Conversation:
    """Calls of one service over a transport.

    Each raises Later (away, after its attempts), Refused (key) or BadRequest (names the field).
    """

    def __init__(
        self,
        transport: Transport,
        *,
        outbox: Path | Outbox | None,
        patience: Patience,
        clock: Callable[[], float],
    ) -> None:
        self.transport, self.patience, self.clock = transport, patience, clock
        self.outbox = Outbox(outbox) if isinstance(outbox, Path) else outbox

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
        ones or by `flush`. Raises Full where the outbox has no room, Unavailable where its disk does not take them.
        """
        if self.outbox is None:
            return [result for batch in calls.batches(events) for result in await self._do(calls.send(batch))]
        now = self.clock()
        # one that waits happened when it was made, not when it arrives
        made = [{"time": now} | content(event) for event in events]
        await self.transport.disk(partial(self.outbox.put, made))
        settled: list[Result] = []
        with suppress(Later):
            await self._flush(self.outbox, ONCE, settled)
        known = {result.event_id: result for result in settled}
        return [known.get(one["event_id"]) or Result(event_id=one["event_id"], status="queued") for one in made]

    async def flush(self) -> list[Result]:
        """Send what waits in the outbox. Raises Later where the service does not take it; what it took is settled."""
        settled: list[Result] = []
        if self.outbox:
            await self._flush(self.outbox, self.patience, settled)
        return settled

    async def close(self) -> None:
        """Close connections and outbox; what waits in it waits for the next client."""
        await self.transport.close()
        if self.outbox:
            self.outbox.close()

    async def _flush(self, outbox: Outbox, patience: Patience, settled: list[Result]) -> None:
        while batch := await self.transport.disk(outbox.oldest):
            results = await self._do(calls.send(batch), patience)
            await self.transport.disk(partial(outbox.settle, results))
            settled += results

    async def _do(self, call: Call[T], patience: Patience | None = None) -> T:
        how = patience or self.patience
        attempts = AsyncRetrying(
            stop=how.stop, wait=how.wait, retry=how.retry, sleep=self.transport.sleep, reraise=True
        )
        return await attempts(self._once, call)

    async def _once(self, call: Call[T]) -> T:
        try:
            response = await self.transport.request(call.method, call.path, body=call.body, query=call.query)
        except httpx.TransportError as error:
            raise Later(f"{call.method} {call.path} was not answered: {error!r}") from error
        return calls.understood(call, response)


def service(url: str) -> httpx.URL:
    """Address of a service. Raises BadConfig where it is none: a wrong one would look like a service that is away."""
    found = httpx.URL(url)
    if found.scheme not in {"http", "https"} or not found.host:
        raise BadConfig(f"{url!r} names no service: write it whole, such as http://127.0.0.1:8080.")
    return found


def headers(key: str) -> dict[str, str]:
    """Headers of every request."""
    return {"User-Agent": f"recloop-client/{__version__}"} | ({"Authorization": f"Bearer {key}"} if key else {})
