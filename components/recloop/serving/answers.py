"""Routes that answer: recommendations, similar items, a user's history."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from recloop.serving.direct import Direct
from recloop.serving.fallback import answer_safely
from recloop.serving.keys import RECOMMEND
from recloop.serving.notes import Notes
from recloop.serving.people import renamed_ask
from recloop.serving.receipts import record_of, without_pool
from recloop.serving.schemas import Ask, Id
from recloop.serving.service import Service, answered


def routes(service: Service) -> APIRouter:
    """Service -> its answering routes."""
    router = APIRouter(tags=["recommendations"])
    engine, clock, admission = service.engine, service.clock, service.admission
    seconds = service.monitoring.seconds
    for_you = seconds.labels("recommendations")
    notes = Notes(service.together, service.monitoring.lost)

    direct = APIRouter(route_class=Direct)

    @direct.post("/v1/recommendations")
    async def recommendations(request: Request, ask: Ask) -> Response:
        """The k best items for a user or an anonymous session, with the receipt."""
        service.may(request, RECOMMEND)
        with for_you.time():
            ask = renamed_ask(ask, service.rename)
            answer = await answer_safely(engine, admission, ask, now=clock())
            record = record_of(ask, answer)
            if service.trials:
                service.trials.observe(record)
            notes.add(record)
            return answered(without_pool(answer))

    router.include_router(direct)

    @router.get("/v1/items/{item_id:path}/similar")
    async def similar(
        request: Request, item_id: Annotated[Id, Path()], k: Annotated[int | None, Query(ge=1)] = None
    ) -> Response:
        """Items bought together with one item."""
        service.may(request, RECOMMEND)
        with seconds.labels("similar").time():
            return answered(without_pool(engine.similar(item_id, k=k, now=clock())))

    @router.get("/v1/users/{user_id:path}/history")
    async def history(
        request: Request,
        user_id: Annotated[Id, Path()],
        limit: Annotated[int, Query(ge=1, le=1000)] = 20,
        at: Annotated[float | None, Query(ge=0, le=4e9, allow_inf_nan=False)] = None,
    ) -> Response:
        """What the service knows of a user, newest first; `at`: as seen from that moment."""
        service.may(request, "read")
        kept = service.rename([user_id])[0] if service.rename else user_id
        return answered(engine.history(kept, now=clock(), at=at, limit=limit))

    return router
