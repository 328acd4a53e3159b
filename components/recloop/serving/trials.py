"""What a service tries on its users, and the routes that start it, show it and end it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from recloop.errors import Permanent, Unavailable
from recloop.evaluation.experiments.design import Design, Running
from recloop.serving.audit import Audit
from recloop.serving.canary import Canary
from recloop.serving.experiment import Experiments
from recloop.serving.keys import May
from recloop.serving.problems import problem
from recloop.serving.service import answered


@dataclass(frozen=True)
class Trials:
    """Experiments and the canary or shadow of one service; every change is audited."""

    experiments: Experiments
    canary: Canary
    audit: Audit | None

    @property
    def reasons(self) -> dict[str, str]:
        """What is wrong, by part."""
        return self.experiments.reasons | self.canary.reasons

    def start(self) -> None:
        """Load what was running when the service was stopped."""
        self.experiments.load()
        self.canary.start()

    def stop(self) -> None:
        """End the threads."""
        self.canary.stop()

    def observe(self, record: Mapping[str, Any]) -> None:
        """Hear of an answer or event as the journal does."""
        self.canary.observe(record)


def routes(trials: Trials, may: May, clock: Any) -> APIRouter:
    """Trials -> their routes. clock: seconds since the epoch, UTC."""
    router = APIRouter(tags=["experiments"])

    @router.get("/v1/experiments")
    async def listed(request: Request) -> Response:
        """Every experiment of the service, also those that were stopped, oldest first."""
        may(request, "read")
        return answered({"experiments": [_shown(one) for one in trials.experiments.every], "degraded": trials.reasons})

    @router.post("/v1/experiments", status_code=201)
    async def start(request: Request, design: Design) -> Response:
        """Start an experiment; the releases that it names are loaded and checked before the first user sees them."""
        may(request, "admin")
        try:
            made = await asyncio.to_thread(trials.experiments.start, design, now=clock())
        except Permanent as error:
            return _refused(error)
        _note(trials, request, "experiment started", _shown(made), clock())
        return answered(_shown(made), 201)

    @router.post("/v1/experiments/{name}/stop")
    async def stop(request: Request, name: str) -> Response:
        """End an experiment; its users get what everybody gets."""
        may(request, "admin")
        ended = await asyncio.to_thread(trials.experiments.stop, name, now=clock())
        _note(trials, request, "experiment stopped", _shown(ended), clock())
        return answered(_shown(ended))

    @router.get("/v1/rollout")
    async def rollout(request: Request) -> Response:
        """The canary or shadow that runs, with its figures."""
        may(request, "read")
        return answered({**trials.canary.figures(), "degraded": trials.reasons})

    return router


def _shown(one: Running) -> dict[str, Any]:
    return one.model_dump(mode="json")


def _note(trials: Trials, request: Request, what: str, detail: dict[str, Any], now: float) -> None:
    if trials.audit:
        key = getattr(request.state, "key", None)
        trials.audit.note(who=key.name if key else "nobody", what=what, detail=detail, now=now)


def _refused(error: Permanent) -> Response:
    """BadRequest has its own handler; a release that cannot be served is the caller's mistake too."""
    if hasattr(error, "field") or isinstance(error, Unavailable):
        raise error
    fields = [{"field": "variants", "detail": str(error)}]
    return problem(422, "A release cannot be served", str(error), fields=fields)
