"""Routes of the merchandiser: the rules that hold, other ones, and back to the scenario's."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from recloop.config import RulesConfig
from recloop.serving.bundle import Bundle
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
        return _told(service, book)

    @router.put("/v1/rules")
    async def put(request: Request, body: RulesConfig, if_match: IfMatch = None) -> Response:
        """Other rules from the next request on, in place of all that held. If-Match: only if that version holds still."""
        service.may(request, "admin")
        async with changing:
            _unchanged(book, if_match)
            await asyncio.to_thread(book.put, body, _bundle(service), who=_who(request), now=service.clock())
            return _told(service, book)

    @router.delete("/v1/rules")
    async def reset(request: Request, if_match: IfMatch = None) -> Response:
        """The scenario's rules from the next request on."""
        service.may(request, "admin")
        async with changing:
            _unchanged(book, if_match)
            await asyncio.to_thread(book.reset, _bundle(service), who=_who(request), now=service.clock())
            return _told(service, book)

    return router


def _bundle(service: Service) -> Bundle | None:
    return service.engine.serving.bundle if service.engine.serving else None


def _told(service: Service, book: Rulebook) -> Response:
    stage, bundle = book.stage, _bundle(service)
    body: dict[str, Any] = {
        "version": version(stage.rules),
        "origin": book.origin,
        "rules": stage.rules.model_dump(mode="json", exclude_defaults=True),
        "matches": {} if bundle is None else stage.compiled(bundle).matches(),
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
