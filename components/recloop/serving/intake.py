"""The route that takes events: each is judged by itself, and acknowledged only when it is on disk."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from recloop.serving.direct import Direct
from recloop.serving.keys import nobodys
from recloop.serving.people import renamed_records
from recloop.serving.problems import fields_of, problem
from recloop.serving.schemas import Event, Events
from recloop.serving.service import Service, answered

AHEAD = 86_400.0
"""seconds that an event may lie in the future: the caller's clock may be off, by a time zone at most"""


def routes(service: Service) -> APIRouter:
    """Service -> its route for events."""
    router = APIRouter(tags=["events"], route_class=Direct)

    @router.post("/v1/events", status_code=202)
    async def events(request: Request, body: Events) -> Response:
        """Take events in: 202 where any is new, 200 where all are duplicates, 422 where none is valid.

        One that is rejected does not keep the others back. What is accepted is on disk, and the next answer knows it.
        """
        service.may(request, "write")
        now = service.clock()
        judged = [_judged(raw, now, n) for n, raw in enumerate(body.events)]
        named = [record for record in judged if "kind" in record]
        records = renamed_records(named, service.rename)
        _flag(service, records, address=nobodys(request), now=now)
        if not records:
            count(service, ["rejected"] * len(judged))
            return _all_rejected(judged)
        fresh = iter(await _taken(service, records))
        results = [_result(record, fresh) if "kind" in record else record for record in judged]
        count(service, [result["status"] for result in results])
        taken = any(result["status"] == "accepted" for result in results)
        return answered({"results": results}, 202 if taken else 200)

    return router


async def _taken(service: Service, records: list[dict[str, Any]]) -> list[bool]:
    """Which records are new; all are on disk, and the new ones in the users' histories."""
    fresh = await service.together.append(records)
    for record, new in zip(records, fresh, strict=True):
        if new:
            service.engine.state.add(record)
            if service.trials and "flag" not in record:
                service.trials.observe(record)
    return fresh


def _flag(service: Service, records: list[dict[str, Any]], *, address: str | None, now: float) -> None:
    """Mark what a bot or a repetition is; an event that was sent again is neither."""
    for record in records:
        if not service.journal.knows(record["event_id"]):
            flag = service.abuse.flag(record, address=address, now=now)
            if flag:
                record["flag"] = flag
                service.monitoring.flagged.labels(flag).inc()


def count(service: Service, status: list[str]) -> None:
    """Tell the figures what became of a batch."""
    for name in set(status):
        service.monitoring.events.labels(name).inc(status.count(name))


def _judged(raw: Any, now: float, n: int) -> dict[str, Any]:
    """Event -> its journal record, or the result that rejects it."""
    try:
        event = Event.model_validate(raw)
    except ValidationError as error:
        return _rejected(raw, fields_of(error, "events", n))
    if event.time is not None and event.time > now + AHEAD:
        detail = (
            f"{event.time:.0f} is more than a day ahead of the service's clock ({now:.0f}): seconds, not milliseconds?"
        )
        return _rejected(raw, [{"field": f"events.{n}.time", "detail": detail}])
    return {"kind": "event", **event.model_dump(), "time": now if event.time is None else event.time}


def _rejected(raw: Any, fields: list[dict[str, str]]) -> dict[str, Any]:
    name = raw.get("event_id") if isinstance(raw, dict) else None
    # a name that JSON can say and UTF-8 cannot is not repeated
    printable = name if isinstance(name, str) and name.isprintable() else None
    reason = "; ".join(f"{field['field']}: {field['detail']}" for field in fields)
    return {"event_id": printable, "status": "rejected", "reason": reason, "errors": fields}


def _result(record: dict[str, Any], fresh: Any) -> dict[str, Any]:
    return {"event_id": record["event_id"], "status": "accepted" if next(fresh) else "duplicate"}


def _all_rejected(judged: list[dict[str, Any]]) -> Response:
    fields = [field for result in judged for field in result["errors"]]
    return problem(422, "No event is valid", f"{len(judged)} rejected, first {judged[0]['reason']}", fields=fields)
