"""Errors as application/problem+json (RFC 9457)."""

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from recloop.errors import BadRequest, Unavailable
from recloop.serving.engine import NoRelease, UnknownItem
from recloop.serving.journal import Full

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
