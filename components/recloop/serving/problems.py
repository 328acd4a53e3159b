"""Errors as application/problem+json (RFC 9457), and a limit on the size of a body."""

import json

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recloop.errors import BadRequest, Unavailable
from recloop.serving.engine import NoRelease, UnknownItem

LIMIT = 2_000_000
"""bytes of a body"""


Fields = list[dict[str, str]]
"""field, and what is wrong with it"""


def problem(status: int, title: str, detail: str, *, fields: Fields | None = None) -> Response:
    """A problem as a response."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    more = {"errors": fields} if fields else {}
    headers = {"Retry-After": "5"} if status == 503 else {}
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
    """Refuse bodies above LIMIT bytes with 413, also those that do not state their length."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Gather the body, then hand it on."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > LIMIT:
                detail = f"At most {LIMIT:,} bytes are taken; send smaller batches."
                await problem(413, "The body is too large", detail)(scope, receive, send)
                return
        await self.app(scope, _again(bytes(body), receive), send)


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
