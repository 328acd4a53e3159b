"""The client for ordinary programs."""

import time
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx

from recloop.client.conversation import Conversation, headers, service
from recloop.client.outbox import Outbox
from recloop.client.patience import USUAL, Patience
from recloop.client.transports import Blocking, finished

P = ParamSpec("P")
T = TypeVar("T")


def blocking(
    said: Callable[Concatenate[Conversation, P], Coroutine[Any, Any, T]],
) -> "Callable[Concatenate[Client, P], T]":
    """A coroutine of the conversation -> the method that waits for it."""

    @wraps(said)
    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return finished(said(client.conversation, *args, **kwargs))

    return method


class Client:
    """Calls of one service. Closes itself as a context manager; threads may share it.

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
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        http = httpx.Client(base_url=service(url), headers=headers(key), timeout=timeout, transport=transport)
        self.conversation = Conversation(Blocking(http, sleep), outbox=outbox, patience=patience, clock=clock)
        self.outbox = self.conversation.outbox

    recommend = blocking(Conversation.recommend)
    similar = blocking(Conversation.similar)
    history = blocking(Conversation.history)
    health = blocking(Conversation.health)
    send = blocking(Conversation.send)
    flush = blocking(Conversation.flush)
    close = blocking(Conversation.close)

    def __enter__(self) -> "Client":
        """Use it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()
