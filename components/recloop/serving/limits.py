"""How often a key or an address may ask."""

import json
from collections import OrderedDict
from collections.abc import Callable
from math import ceil

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from recloop.config import EdgeConfig
from recloop.serving.keys import Key, Known, secret_of

PROBES = ("/health", "/metrics")
"""asked by machines that watch; never limited"""


class Rate:
    """The generic cell rate algorithm (ITU-T I.371): one number a client, no list of past requests.

    clients: at most so many are remembered; the one heard of least lately is forgotten first.
    """

    def __init__(self, *, burst: int, clients: int) -> None:
        self.burst, self.clients = burst, clients
        self.due: OrderedDict[str, float] = OrderedDict()

    def wait(self, client: str, *, per_minute: int, now: float) -> float:
        """Seconds until the client may ask; 0 where he may now, and then this request is counted."""
        gap = 60.0 / per_minute
        due = max(self.due.get(client, now), now)
        # a limit below the burst is one minute's share at once, not more
        ahead = due - now - gap * (min(self.burst, per_minute) - 1)
        if ahead > 1e-9:
            return ahead
        self.due[client] = due + gap
        self.due.move_to_end(client)
        while len(self.due) > self.clients:
            self.due.popitem(last=False)
        return 0.0


class RateLimit:
    """Middleware that answers 429 with Retry-After to whoever asks too often."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Known,
        config: EdgeConfig,
        clock: Callable[[], float],
        refused: Callable[[], None],
    ) -> None:
        self.app, self.keys, self.config, self.clock, self.refused = app, keys, config, clock, refused
        self.rate = Rate(burst=config.burst, clients=config.clients)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or refuse it."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        secret = secret_of(Headers(scope=scope))
        key = self.keys.find(secret) if secret else None
        per_minute = self._allowed(key)
        seconds = self.rate.wait(client_of(scope, key), per_minute=per_minute, now=self.clock())
        if not seconds:
            await self.app(scope, receive, send)
            return
        self.refused()
        await _too_many(per_minute, seconds)(scope, receive, send)

    def _allowed(self, key: Key | None) -> int:
        """Requests a minute."""
        if key and key.per_minute:
            return key.per_minute
        trusted = key and not key.public
        return self.config.requests_per_minute if trusted else self.config.address_requests_per_minute


def client_of(scope: Scope, key: Key | None) -> str:
    """Who is counted: a key by its name, a page's key by name and address, all else by address."""
    address = scope["client"][0] if scope.get("client") else ""
    if key is None:
        return f"address {address}"
    return f"key {key.name} {address}" if key.public else f"key {key.name}"


def _too_many(per_minute: int, seconds: float) -> Response:
    detail = f"At most {per_minute:,} requests a minute are taken from you; ask again in {seconds:.1f} s."
    body = {"type": "about:blank", "title": "Too many requests", "status": 429, "detail": detail}
    headers = {"Retry-After": str(ceil(seconds))}
    return Response(json.dumps(body).encode(), 429, headers, media_type="application/problem+json")
