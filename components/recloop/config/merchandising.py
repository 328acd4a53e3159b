"""Section of a merchandiser's rules: what may be shown, what is pushed, and how lists are mixed."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from recloop.config.data import Moment
from recloop.config.expressions import names
from recloop.config.section import Section
from recloop.errors import BadConfig

Kind = Literal[
    "for_you", "similar", "bought_together", "buy_again", "trending", "session", "rerank", "complete_basket"
]  # fmt: skip
"""kinds of request"""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
Item = Annotated[str, Field(min_length=1, max_length=200)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Price = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Hour = Annotated[int, Field(ge=0, le=24)]


def _expression(text: str) -> str:
    try:
        names(text)
    except BadConfig as error:
        raise ValueError(str(error)) from error
    return text


Expression = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_expression)]
"""of names of tags, such as `wine and not cheap`"""
RESERVED = frozenset({"out_of_stock", "price", "seen"})
"""names under which answers tell what no rule, but a setting left out"""


class When(Section):
    """The requests that a rule is about: every part that is given must hold."""

    kinds: tuple[Kind, ...] = ()
    pages: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    hours: tuple[Hour, Hour] | None = None
    """from and until, UTC; (22, 6) is the night"""
    weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = ()
    """0 is Monday"""
    since: Moment | None = None
    until: Moment | None = None


class Tag(Section):
    """A named set of items: every part that is given must hold, and any one entry of a part is enough."""

    categories: tuple[str, ...] = ()
    """category paths or their beginnings, such as 'GROCERY > CHEESE'"""
    brands: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """whole words of the title, without regard to case"""
    items: tuple[Item, ...] = ()
    min_price: Price | None = None
    max_price: Price | None = None
    newer_than_days: Annotated[float, Field(gt=0)] | None = None
    """since anybody first took it"""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self == type(self).model_construct():
            raise ValueError("names nothing: give categories, brands, words, items, prices or newer_than_days")
        return self


class Rule(Section):
    """A named rule about the items that an expression describes."""

    name: Name
    where: Expression
    when: When = When()


class Boost(Rule):
    """Items that are pushed, within a budget."""

    strength: Annotated[float, Field(gt=0, le=100)] = 1.0
    """added to their score, in standard deviations of the scores of the list's candidates"""
    share: Share = 0.3
    """at most this share of the slots goes to items that stand there only because of it"""


class Cap(Section):
    """At most so many items of one brand, department (first part of the category) or category (the whole path)."""

    by: Literal["brand", "department", "category"]
    at_most: Annotated[int, Field(gt=0)]
    when: When = When()


class Promotion(Section):
    """Items that get slots of their own whatever the model says of them."""

    name: Name
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=1000)]
    """the first that may be shown go first"""
    share: Share = 0.2
    """of the slots, rounded down"""
    when: When = When()


class Pin(Section):
    """One item at one place."""

    name: Name
    item: Item
    place: Annotated[int, Field(ge=1, le=1000)]
    when: When = When()


class NewItems(Section):
    """First impressions of new items."""

    share: Share = 0.0
    """of the slots of an answer, rounded up, that new items behind their schedule get; 0 turns this off"""
    days: Annotated[float, Field(gt=0)] = 28.0
    """an item is new for so long after anybody first took it"""
    impressions: Annotated[int, Field(gt=0)] = 100
    within_hours: Annotated[float, Field(gt=0)] = 48.0
    """in which the impressions are given, at an even pace"""


class RulesConfig(Section):
    """rules: what a merchandiser says of every answer. No rule shows what another forbids."""

    tags: dict[Name, Tag] = Field(default_factory=dict)
    legal: tuple[Rule, ...] = ()
    """never shown; a block also holds where the request does not say what its `when` asks for"""
    hidden: tuple[Rule, ...] = ()
    """not shown, for reasons of the shop"""
    out_of_stock: Annotated[tuple[Item, ...], Field(max_length=1_000_000)] = ()
    min_price: Price | None = None
    max_price: Price | None = None
    exclude_seen: bool = False
    """leave out what the user ever took, but for buy_again, which asks for it"""
    seen_within_days: Annotated[float, Field(ge=0)] = 0.0
    """leave out what the user took so lately; 0 leaves nothing out"""
    caps: tuple[Cap, ...] = ()
    boosts: tuple[Boost, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    pins: tuple[Pin, ...] = ()
    diversity: Share = 0.0
    """weight of being unlike what stands above in the list; 0 ranks by score alone"""
    new_items: NewItems = NewItems()
    pool: Annotated[int, Field(ge=10, le=1000)] = 100
    """candidates that caps, boosts and diversity choose from"""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        rules = (*self.legal, *self.hidden, *self.boosts)
        named = [rule.name for rule in rules] + [p.name for p in self.promotions] + [p.name for p in self.pins]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise ValueError(f"the names {twice} are given to more than one rule")
        if taken := sorted(RESERVED & {*named}):
            raise ValueError(
                f"a rule may not be called {taken[0]!r}: answers tell under it what that setting leaves out"
            )
        for rule in rules:
            unknown = [name for name in names(rule.where) if name not in self.tags]
            if unknown:
                raise ValueError(f"the rule {rule.name!r} names {unknown}; the tags are {sorted(self.tags)}")
        return self

    @property
    def arranging(self) -> bool:
        """Whether a list is more than the best of what is permitted."""
        rules = self.caps or self.boosts or self.promotions or self.pins
        return bool(rules) or self.diversity > 0 or self.new_items.share > 0

    @property
    def idle(self) -> bool:
        """Whether nothing is asked of an answer."""
        return self.model_copy(update={"tags": {}, "pool": 100}) == RulesConfig()
