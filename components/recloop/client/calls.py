"""The service's calls as values: what is sent, and how the response is read. They know no network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from recloop.client.replies import Answer, Event, History, Result, content
from recloop.errors import BadRequest, Permanent, Unavailable
from recloop.serving.schemas import Ask

T = TypeVar("T")
BATCH = 300
"""events of one request: the longest ones, every character escaped, are below the service's 2,000,000 bytes"""
AGAIN = (408, 429, 500, 502, 503, 504)
"""statuses after which the same request may succeed later; every call may be sent twice"""


class Refused(Permanent, PermissionError):
    """The service does not know the key, or it may not do that."""


class Later(Unavailable):
    """The service did not answer, or asks for patience. seconds: what it asks for; None where it does not say."""

    def __init__(self, message: str, *, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, and the reading of its response."""

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)


def recommend(ask: Ask) -> Call[Answer]:
    """The best items for a user or a session."""
    return Call("POST", "/v1/recommendations", _reads(Answer), body=content(ask))


def similar(item_id: str, k: int | None) -> Call[Answer]:
    """Items bought together with one."""
    query = {} if k is None else {"k": str(k)}
    return Call("GET", f"/v1/items/{quote(item_id, safe='')}/similar", _reads(Answer), query=query)


def history(user_id: str, limit: int) -> Call[History]:
    """What the service knows of a user."""
    return Call("GET", f"/v1/users/{quote(user_id, safe='')}/history", _reads(History), query={"limit": str(limit)})


def health() -> Call[dict[str, Any]]:
    """Whether the service is ready, its release, and what is degraded."""
    return Call("GET", "/health", lambda response: dict(sound(response).json()))


def send(events: Sequence[dict[str, Any]]) -> Call[list[Result]]:
    """At most BATCH events, as `content` gives them."""

    def read(response: httpx.Response) -> list[Result]:
        if reasons := _all_rejected(response, len(events)):
            return [
                Result(event_id=event["event_id"], status="rejected", reason=reason)
                for event, reason in zip(events, reasons, strict=True)
            ]
        # in order; a rejected event may be so odd that its name is not repeated
        return [
            Result(event_id=event["event_id"], status=result["status"], reason=result.get("reason", ""))
            for event, result in zip(events, sound(response).json()["results"], strict=True)
        ]

    return Call("POST", "/v1/events", read, body={"events": list(events)})


def batches(events: Sequence[Event]) -> list[list[dict[str, Any]]]:
    """Events -> the bodies of their requests."""
    bodies = [content(event) for event in events]
    return [bodies[start : start + BATCH] for start in range(0, len(bodies), BATCH)]


def sound(response: httpx.Response) -> httpx.Response:
    """The response itself where it is good. Raises Later, Refused, BadRequest."""
    if response.is_success:
        return response
    detail, place = _problem(response), f"{response.request.method} {response.request.url.path}"
    if response.status_code in AGAIN:
        seconds = response.headers.get("retry-after", "")
        raise Later(
            f"{place} was answered with {response.status_code}: {detail}",
            seconds=float(seconds) if seconds.isdecimal() else None,
        )
    if response.status_code in {401, 403}:
        raise Refused(f"{place} was refused ({response.status_code}): {detail}")
    raise BadRequest(f"{place} was answered with {response.status_code}: {detail}", field=_field(response))


def understood(call: Call[T], response: httpx.Response) -> T:
    """What the response says. Raises Later too where somebody else answered, such as a proxy with a page of its own."""
    try:
        return call.read(response)
    except Permanent:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise Later(
            f"{call.method} {call.path} was answered with {response.status_code} and what is no answer of a service: "
            f"{response.text[:200]!r}. Is a proxy in between, or the service of another version?"
        ) from error


def _reads(kind: type[Any]) -> Callable[[httpx.Response], Any]:
    return lambda response: kind.model_validate_json(sound(response).content)


def _all_rejected(response: httpx.Response, n: int) -> list[str]:
    """Why each of n events is rejected, where the service says it of each; else nothing."""
    reasons: dict[str, list[str]] = {}
    for error in _errors(response) if response.status_code == 422 else []:
        reasons.setdefault(".".join(str(error["field"]).split(".")[:2]), []).append(str(error["detail"]))
    each = ["; ".join(reasons.get(f"events.{place}", [])) for place in range(n)]
    return each if all(each) else []


def _problem(response: httpx.Response) -> str:
    """What the service says is wrong; the beginning of the body where a proxy answered instead."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text[:200]


def _field(response: httpx.Response) -> str:
    return next((str(error["field"]) for error in _errors(response)), "")


def _errors(response: httpx.Response) -> list[dict[str, Any]]:
    """What the service names as wrong, field by field; nothing where a proxy answered instead."""
    try:
        return [error for error in response.json()["errors"] if {"field", "detail"} <= error.keys()]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
