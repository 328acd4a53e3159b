"""The client for ordinary programs."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx
from tenacity import Retrying

from recloop.client import calls
from recloop.client.calls import Call, Later
from recloop.client.outbox import Outbox
from recloop.client.patience import ONCE, USUAL, Patience
from recloop.client.replies import Answer, Event, History, Result
from recloop.client.sending import headers, stamped, unsent
from recloop.serving.schemas import Ask

T = TypeVar("T")


class Client:
    """Calls of one service. Closes itself as a context manager; threads may share it.

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
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.http = httpx.Client(base_url=url, headers=headers(key), timeout=timeout, transport=transport)
        self.outbox = Outbox(outbox) if outbox else None
        self.patience, self.clock, self.sleep = patience, clock, sleep

    def recommend(self, ask: Ask) -> Answer:
        """The best items for a user or a session."""
        return self._do(calls.recommend(ask))

    def similar(self, item_id: str, *, k: int | None = None) -> Answer:
        """Items bought together with one."""
        return self._do(calls.similar(item_id, k))

    def history(self, user_id: str, *, limit: int = 20) -> History:
        """What the service knows of a user, newest first."""
        return self._do(calls.history(user_id, limit))

    def health(self) -> dict[str, Any]:
        """Whether the service is ready, its release, and what is degraded."""
        return self._do(calls.health())

    def send(self, events: Sequence[Event]) -> list[Result]:
        """Events -> what became of each, in order.

        With an outbox this does not raise Later: events that the service did not take are `queued`, sent with the next
        ones or by `flush`. Raises Full where the outbox has no room.
        """
        if self.outbox is None:
            return [result for batch in calls.batches(events) for result in self._do(calls.send(batch))]
        made = stamped(events, now=self.clock())
        self.outbox.put(made)
        settled: list[Result] = []
        with suppress(Later):
            self._flush(self.outbox, ONCE, settled)
        return unsent(made, settled)

    def flush(self) -> list[Result]:
        """Send what waits in the outbox. Raises Later where the service does not take it; what it took is settled."""
        settled: list[Result] = []
        if self.outbox:
            self._flush(self.outbox, self.patience, settled)
        return settled

    def close(self) -> None:
        """Close connections and outbox; what waits in it waits for the next client."""
        self.http.close()
        if self.outbox:
            self.outbox.close()

    def __enter__(self) -> "Client":
        """Use it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def _flush(self, outbox: Outbox, patience: Patience, settled: list[Result]) -> None:
        while batch := outbox.oldest():
            results = self._do(calls.send(batch), patience)
            outbox.settle(results)
            settled += results

    def _do(self, call: Call[T], patience: Patience | None = None) -> T:
        how = patience or self.patience
        attempts = Retrying(stop=how.stop, wait=how.wait, retry=how.retry, sleep=self.sleep, reraise=True)
        result: T = attempts(self._once, call)
        return result

    def _once(self, call: Call[T]) -> T:
        try:
            response = self.http.request(call.method, call.path, json=call.body, params=call.query)
        except httpx.TransportError as error:
            raise Later(f"{self.http.base_url} did not answer: {error!r}") from error
        return call.read(response)
