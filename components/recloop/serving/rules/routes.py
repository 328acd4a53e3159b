"""Routes of the merchandiser: the rules that hold, other ones, and back to the scenario's."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from recloop.config import RulesConfig
from recloop.serving.rules.book import Rulebook, version
from recloop.serving.service import Service, answered

IfMatch = Annotated[str | None, Header(max_length=100)]


def routes(service: Service, book: Rulebook) -> APIRouter:
    """Service and its rules -> their routes."""
    router = APIRouter(tags=["rules"])
    changing = asyncio.Lock()

    @router.get("/v1/rules")
    async def rules(request: Request) -> Response:
        """The rules that hold, their version, and how many items each is about in the release that serves."""
        service.may(request, "admin")
        return _told(book)

    @router.put("/v1/rules")
    async def put(request: Request, body: RulesConfig, if_match: IfMatch = None) -> Response:
        """Other rules from the next request on, in place of all that held. If-Match: only if that version holds still."""
        service.may(request, "admin")
        async with changing:
            _unchanged(book, if_match)
            await asyncio.to_thread(book.put, body, who=_who(request), now=service.clock())
            return _told(book)

    @router.delete("/v1/rules")
    async def reset(request: Request, if_match: IfMatch = None) -> Response:
        """The scenario's rules from the next request on."""
        service.may(request, "admin")
        async with changing:
            _unchanged(book, if_match)
            await asyncio.to_thread(book.reset, who=_who(request), now=service.clock())
            return _told(book)

    return router


def _told(book: Rulebook) -> Response:
    stage = book.stage
    body: dict[str, Any] = {
        "version": version(stage.rules),
        "origin": book.origin,
        "rules": stage.rules.model_dump(mode="json", exclude_defaults=True),
        "matches": {} if stage.latest is None else stage.compiled(stage.latest).matches(),
    }
    response = answered(body)
    response.headers["ETag"] = f'"{body["version"]}"'
    return response


def _unchanged(book: Rulebook, expected: str | None) -> None:
    held = version(book.stage.rules)
    if expected is not None and expected.strip('"') not in (held, "*"):
        raise HTTPException(
            412, f"The rules are of version {held} now, not {expected}: read them again, then change them."
        )


def _who(request: Request) -> str:
    """Name of the caller's key; a service without keys serves its own machine alone."""
    key = getattr(request.state, "key", None)
    return key.name if key else "anybody on this machine"
