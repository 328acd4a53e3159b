"""What the service accepts. Unknown fields are errors, so that a typing mistake is not silence."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation, model_validator
from pydantic.config import JsonDict

from recloop.config import Kind

Id = Annotated[str, Field(min_length=1, max_length=200)]
Seconds = Annotated[float, Field(ge=0, le=4e9, description="seconds since the epoch, UTC", allow_inf_nan=False)]
Number = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


EXAMPLE: JsonDict = {"event_id": "o-17-1", "user_id": "1364", "item_id": "1082185", "event": "purchase"}


class Body(BaseModel):
    """A strict request body."""

    model_config = ConfigDict(extra="forbid")


class Context(Body):
    """The moment of the request."""

    time: Seconds | None = None
    """the default is now"""
    place: Id | None = None
    """shop, town or country, by the names that the rules use"""
    device: Id | None = None
    page: Id | None = None
    basket: Annotated[list[Id], Field(max_length=200)] = []
    """items in the basket, oldest first: what is recommended goes with them, and is none of them"""


class Filters(Body):
    """What may be recommended."""

    category: Annotated[str, Field(max_length=500)] | None = None
    """a category path or its beginning, such as 'GROCERY > CHEESE'"""
    min_price: Number | None = None
    max_price: Number | None = None
    in_stock: Annotated[list[Id], Field(max_length=100_000)] | None = None
    """only these items"""


class Ask(Body):
    """Who asks for what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"user_id": "1364", "k": 5, "filters": {"category": "GROCERY"}}]},
    )
    kind: Kind = "for_you"
    """what is asked for; each kind says which other fields it needs"""
    user_id: Id | None = None
    items: Annotated[list[Id], Field(max_length=1000)] = []
    """similar, bought_together: to which items; rerank: the list"""
    session: Annotated[list[Id], Field(max_length=200)] = []
    """items that an anonymous visitor, or this user just now, looked at; oldest first"""
    k: Annotated[int, Field(ge=1)] | None = None
    context: Context = Field(default_factory=Context)
    exclude: Annotated[list[Id], Field(max_length=10_000)] = []
    exclude_seen: bool = False
    """leave out what the user already took"""
    filters: Filters = Field(default_factory=Filters)

    @property
    def left_out(self) -> list[str]:
        """Items that the list may not hold; a session goes on to others than its own."""
        return [*self.exclude, *self.context.basket, *(self.session if self.kind == "session" else ())]


class Event(Body):
    """Something that a user did."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [EXAMPLE]},
    )
    event_id: Id
    """sending the same id again changes nothing"""
    user_id: Id
    item_id: Id
    event: Literal["view", "click", "cart", "purchase", "rating"]
    time: Seconds | None = None
    """the default is now"""
    price: Number | None = None
    quantity: Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)] | None = None
    discount: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    rating: Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)] | None = None
    basket_id: Id | None = None
    store_id: Id | None = None


class Events(Body):
    """A batch of events."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"events": [EXAMPLE]}]})
    events: Annotated[list[SkipValidation[Event]], Field(min_length=1, max_length=1000)]
    """each is judged by itself"""

    @model_validator(mode="before")
    @classmethod
    def one(cls, value: object) -> object:
        """A single event is a batch of one."""
        return {"events": [value]} if isinstance(value, dict) and "events" not in value else value
