"""What the client sends and what it gets back, typed."""

import uuid
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from recloop.serving import schemas


class Event(schemas.Event):
    """Something that a user did; it names itself, so that it may be sent twice and counts once."""

    event_id: schemas.Id = Field(default_factory=lambda: uuid.uuid4().hex)


class Reply(BaseModel):
    """What the service said. Entries that a newer service adds are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Recommendation(Reply):
    """One item of an answer."""

    rank: int
    item_id: str
    title: str
    category: str
    price: float
    score: float | None
    """None where a rule inserted what the model did not score"""
    origins: tuple[str, ...]
    """the sources that proposed it"""
    rules: tuple[str, ...] = ()
    """the rules to which it owes its place"""


class Answer(Reply):
    """Recommendations with their receipt."""

    receipt_id: str
    release: str
    generation: int
    time: int
    """seconds since the epoch"""
    policy: str
    propensity: float | None
    """chance of the list under the policy; None where a rule changed what was drawn"""
    items: tuple[Recommendation, ...]
    reason: str = ""
    """why there are none, or only popular ones; empty where there is nothing to explain"""


class Past(Reply):
    """One event of a user's history."""

    item_id: str
    title: str
    category: str
    time: int
    price: float
    quantity: float


class History(Reply):
    """What the service knows of a user."""

    user_id: str
    events: int
    """how many there are"""
    newest: tuple[Past, ...]


class Result(Reply):
    """What became of one event."""

    event_id: str
    status: Literal["accepted", "duplicate", "rejected", "queued"]
    """queued: it waits in the outbox, because the service did not answer, or another thread took it along"""
    reason: str = ""
    """why it was rejected"""


def content(model: BaseModel) -> dict[str, Any]:
    """What is sent of a request or an event: all but the defaults."""
    fields: dict[str, Any] = model.model_dump(mode="json", exclude_defaults=True)
    return fields
