"""Bodies of requests: gathered whole, within a size and a time, and given again."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recloop.serving.problems import problem

LIMIT = 2_000_000
"""bytes of a body"""


class BodyLimit:
    """Refuse bodies above LIMIT bytes with 413, also those that do not state their length, and late ones with 408."""

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self.app, self.seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gather the body, then hand it on."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.seconds):
                body = await gathered(receive)
        except TimeoutError:
            detail = f"The body took longer than {self.seconds:g} s to arrive (edge.body_seconds)."
            await problem(408, "The request is too slow", detail)(scope, receive, send)
            return
        if body is None:
            return
        if len(body) > LIMIT:
            detail = f"At most {LIMIT:,} bytes are taken; send smaller batches."
            await problem(413, "The body is too large", detail)(scope, receive, send)
            return
        await self.app(scope, again(body, receive), send)


async def gathered(receive: Receive) -> bytes | None:
    """The whole body, or as much of it as shows that it is too large; None where the caller left."""
    body = bytearray()
    more = True
    while more and len(body) <= LIMIT:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def again(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the whole body once, then what follows."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
