"""Routes for those who run the service: health, figures, sealing, reloading."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from recloop.serving.service import Service, answered


def routes(service: Service) -> APIRouter:
    """Service -> its administrative routes."""
    router = APIRouter(tags=["administration"])

    @router.post("/v1/journal/seal")
    async def seal(request: Request) -> Response:
        """Seal the journal's active segment and ship it."""
        service.may(request, "admin")
        path = await asyncio.to_thread(service.journal.seal)
        if service.shipper:
            service.shipper.wake()
        return answered({"sealed": path.name if path else None})

    @router.post("/v1/releases/reload")
    async def reload(request: Request) -> Response:
        """Look at the pointer now instead of at the next second; a release that was refused is tried again."""
        service.may(request, "admin")
        if service.watcher:
            await asyncio.to_thread(service.watcher.again)
        return answered({**service.state(), "degraded": service.degraded()})

    @router.get("/health")
    async def health() -> Response:
        """live: the process answers. ready: a release serves. degraded: what is down beside it."""
        return answered({"live": True, **service.state(), "degraded": service.degraded()})

    @router.get("/metrics")
    async def metrics() -> Response:
        """Figures for Prometheus."""
        text = service.monitoring.text(service.engine, service.shipper)
        return Response(text, media_type="text/plain; version=0.0.4")

    return router
