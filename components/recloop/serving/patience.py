"""Connections whose request does not arrive in time are closed: slow clients cannot hold the service."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def impatient(seconds: float) -> type[asyncio.Protocol]:
    """A protocol for uvicorn that waits so long for a request's head, from the connection's start or its first byte."""

    class Impatient(HttpToolsProtocol):
        """Closes what is too slow."""

        late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            """Wait for the first request."""
            super().connection_made(transport)
            self._wait()

        def on_message_begin(self) -> None:
            """Wait for the rest of the head."""
            super().on_message_begin()
            self._wait()

        def on_headers_complete(self) -> None:
            """The head is here."""
            self._stop()
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            """There is nothing to wait for any more."""
            self._stop()
            super().connection_lost(exc)

        def _wait(self) -> None:
            self._stop()
            self.late = self.loop.call_later(seconds, self.transport.close)

        def _stop(self) -> None:
            if self.late:
                self.late.cancel()
                self.late = None

    return Impatient
