"""The client for programs that run on an event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

import httpx

from recloop.client.conversation import Conversation, headers, service
from recloop.client.outbox import Outbox
from recloop.client.patience import USUAL, Patience
from recloop.client.transports import OnLoop


class AsyncClient(Conversation):
    """Calls of one service, to be awaited. Closes itself as a context manager; it belongs to one event loop.

    key: secret of an API key. outbox: file in which events wait while the service is away, or an Outbox. timeout: seconds
    of one attempt. Raises BadConfig where the URL names no service.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        outbox: Path | Outbox | None = None,
        timeout: float = 5.0,
        patience: Patience = USUAL,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        http = httpx.AsyncClient(base_url=service(url), headers=headers(key), timeout=timeout, transport=transport)
        super().__init__(OnLoop(http, sleep), outbox=outbox, patience=patience, clock=clock)

    async def __aenter__(self) -> "AsyncClient":
        """Use it."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()
