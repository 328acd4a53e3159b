"""Routes that answer: recommendations, similar items, a user's history."""

from concurrent.futures import Future
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from recloop.errors import Unavailable
from recloop.serving.engine import record_of
from recloop.serving.schemas import Ask, Id
from recloop.serving.service import Service, answered


def routes(service: Service) -> APIRouter:
    """Service -> its answering routes."""
    router = APIRouter(tags=["recommendations"])
    engine, clock, seconds = service.engine, service.clock, service.monitoring.seconds

    @router.post("/v1/recommendations")
    async def recommendations(ask: Ask) -> Response:
        """The k best items for a user or an anonymous session, with the receipt."""
        with seconds.labels("recommendations").time():
            answer = engine.recommend(ask, now=clock())
            _note(service, record_of(ask, answer))
            return answered(answer)

    @router.get("/v1/items/{item_id:path}/similar")
    async def similar(item_id: Annotated[Id, Path()], k: Annotated[int | None, Query(ge=1)] = None) -> Response:
        """Items bought together with one item."""
        with seconds.labels("similar").time():
            return answered(engine.similar(item_id, k=k, now=clock()))

    @router.get("/v1/users/{user_id:path}/history")
    async def history(
        request: Request,
        user_id: Annotated[Id, Path()],
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
        at: Annotated[float | None, Query(ge=0, le=4e9, allow_inf_nan=False)] = None,
    ) -> Response:
        """What the service knows of a user, newest first; `at`: as seen from that moment."""
        service.may(request, "read")
        return answered(engine.history(user_id, now=clock(), at=at, limit=limit))

    return router


def _note(service: Service, record: dict[str, Any]) -> None:
    """Journal an answer without waiting for the disk. A full disk costs the record, and is counted; it stops no shopper."""
    lost = service.monitoring.lost

    def settled(done: "Future[list[bool]]") -> None:
        if done.exception():
            lost.inc()

    try:
        service.journal.append([record]).add_done_callback(settled)
    except Unavailable:
        lost.inc()
