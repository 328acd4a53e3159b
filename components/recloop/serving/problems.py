"""Errors as application/problem+json (RFC 9457), and a limit on the size of a body."""

import asyncio
import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recloop.errors import BadRequest, Unavailable
from recloop.serving.engine import NoRelease, UnknownItem
from recloop.serving.journal import Full

LIMIT = 2_000_000
"""bytes of a body"""
RETRY = {429: 1, 503: 5}
"""seconds after which a request may be sent again, by the status that refused it"""


Fields = list[dict[str, str]]
"""field, and what is wrong with it"""

_TEXT, _PAIR = {"type": "string"}, {"field": {"type": "string"}, "detail": {"type": "string"}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "errors": {"type": "array", "items": {"type": "object", "properties": _PAIR}},
    },
}
MEANINGS = {
    400: "The body is no JSON.",
    401: "No API key was sent.",
    403: "The key is unknown or lacks the scope.",
    404: "What the path names is not there.",
    408: "The request arrived too slowly.",
    413: "The body is too large.",
    422: "The request is not valid; `errors` names the fields.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "No release yet, too many questions at once, or the disk is full; `Retry-After` says when to come back.",
}
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {"description": meaning, "content": {"application/problem+json": {"schema": SCHEMA}}}
    for status, meaning in MEANINGS.items()
}
"""what every route may answer, for the OpenAPI document"""


def problem(status: int, title: str, detail: str, *, fields: Fields | None = None) -> Response:
    """A problem as a response."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    more = {"errors": fields} if fields else {}
    headers = {"Retry-After": str(RETRY[status])} if status in RETRY else {}
    # json escapes what a caller may send and UTF-8 cannot say
    return Response(json.dumps(body | more).encode(), status, headers, media_type="application/problem+json")


def fields_of(error: RequestValidationError | ValidationError, *at: str | int) -> Fields:
    """Pydantic's errors -> fields below the place `at`."""
    return [{"field": ".".join(map(str, (*at, *e["loc"]))), "detail": str(e["msg"])} for e in error.errors()]


def install(app: FastAPI) -> None:
    """Answer every error of ours and of the framework as a problem."""
    title = "The request is not valid"

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        fields = fields_of(error)
        return problem(422, title, "; ".join(f"{f['field']}: {f['detail']}" for f in fields), fields=fields)

    @app.exception_handler(BadRequest)
    async def bad(_: Request, error: BadRequest) -> Response:
        status = 404 if isinstance(error, UnknownItem) else 422
        return problem(status, title, str(error), fields=[{"field": error.field, "detail": str(error)}])

    @app.exception_handler(Unavailable)
    async def unavailable(_: Request, error: Unavailable) -> Response:
        if isinstance(error, Full):
            return problem(429, "Too many events at once", str(error))
        return problem(503, "No release yet" if isinstance(error, NoRelease) else "Not available", str(error))

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> Response:
        response = problem(error.status_code, "The request was refused", str(error.detail))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> Response:
        detail = f"{type(error).__name__}: this is a fault of the service; its log has the details."
        return problem(500, "The service failed", detail)


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
                body = await _gathered(receive)
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
        await self.app(scope, _again(body, receive), send)


async def _gathered(receive: Receive) -> bytes | None:
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


def _again(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the whole body once, then what follows."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once
