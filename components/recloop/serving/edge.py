"""What stands between the service and its callers: browser origins, rate limits, figures of responses, the audit log."""

from collections.abc import Callable
from functools import cache
from importlib import resources

from fastapi import APIRouter, FastAPI
from prometheus_client import Counter
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recloop.config import EdgeConfig
from recloop.serving.audit import Audit
from recloop.serving.keys import ANYBODY, Known
from recloop.serving.limits import RateLimit
from recloop.serving.monitoring import Monitoring

Tell = Callable[[Scope, int], None]
"""request's scope, status of its response"""


def install(
    app: FastAPI,
    config: EdgeConfig,
    *,
    keys: Known | None,
    audit: Audit | None,
    monitoring: Monitoring,
    clock: Callable[[], float],
) -> None:
    """Put the edge around an app. The last middleware added is the first that a request meets."""
    app.include_router(_snippet())
    if keys:
        refused = monitoring.refused.labels("rate").inc
        app.add_middleware(RateLimit, keys=keys, config=config, clock=clock, refused=refused)
    app.add_middleware(Responses, tell=_tell(monitoring, audit, clock))
    if config.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(config.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            expose_headers=["Retry-After"],
            max_age=86_400,
        )


class Responses:
    """Middleware that tells of the status of each response."""

    def __init__(self, app: ASGIApp, *, tell: Tell) -> None:
        self.app, self.tell = app, tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and listen."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # the request's own state, also where the server hands one to all requests
        scope["state"] = dict(scope.get("state", {}))

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.tell(scope, message["status"])
            await send(message)

        try:
            await self.app(scope, receive, heard)
        except Exception:
            # the framework answers 500 outside of here
            self.tell(scope, 500)
            raise


def _tell(monitoring: Monitoring, audit: Audit | None, clock: Callable[[], float]) -> Tell:
    @cache
    def counter(status: int) -> Counter:
        return monitoring.responses.labels(str(status))

    def tell(scope: Scope, status: int) -> None:
        counter(status).inc()
        state = scope["state"]
        # what an administrator asks for by any other method than GET changes something
        if audit and state.get("scope") == "admin" and scope["method"] != "GET":
            request = {"method": scope["method"], "path": scope["path"], "status": status}
            who = state["key"].name if state["key"] else ANYBODY
            audit.note(who=who, what="request", detail=request, now=clock())

    return tell


def _snippet() -> APIRouter:
    """The route of the browser snippet."""
    router = APIRouter(tags=["browser"])
    script = resources.files("recloop.serving.snippet").joinpath("recloop.js").read_bytes()
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}

    @router.get("/recloop.js", response_class=Response)
    async def snippet() -> Response:
        """The browser snippet: events of a page, and recommendations for it."""
        return Response(script, headers=headers, media_type="text/javascript")

    return router
