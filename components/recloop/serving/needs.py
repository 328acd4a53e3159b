"""What each kind of request needs, and the errors where it is missing."""

from collections.abc import Callable

from recloop.config import Kind
from recloop.errors import BadRequest
from recloop.serving.bundle import Bundle
from recloop.serving.schemas import Ask

Given = Callable[[Ask], bool]
NEEDS: dict[Kind, tuple[str, str, Given]] = {
    "for_you": (
        "user_id",
        "Name a user_id, or the items of a session.",
        lambda ask: ask.user_id is not None or bool(ask.session or ask.context.basket),
    ),
    "similar": ("items", "Name the items to which others are similar.", lambda ask: bool(ask.items)),
    "bought_together": ("items", "Name the items with which others are bought.", lambda ask: bool(ask.items)),
    "buy_again": ("user_id", "Name the user who buys again.", lambda ask: ask.user_id is not None),
    "trending": ("kind", "", lambda _: True),
    "session": ("session", "Name the items of the session, oldest first.", lambda ask: bool(ask.session)),
    "rerank": ("items", "Name the items to bring into order.", lambda ask: bool(ask.items)),
    "complete_basket": (
        "context.basket",
        "Name the items in the basket.",
        lambda ask: bool(ask.context.basket),
    ),
}
"""kind -> the field that it needs, what to do where it is missing, whether it is given"""


class UnknownItem(BadRequest):
    """The release does not know the item."""


def check(ask: Ask, bundle: Bundle) -> None:
    """Raises BadRequest: a field that the kind needs is missing; UnknownItem: the release knows none of the items."""
    field, advice, given = NEEDS[ask.kind]
    if not given(ask):
        raise BadRequest(f"A request of the kind {ask.kind} lacks {field}. {advice}", field=field)
    if field == "items" and not any(item in bundle.items.codes for item in ask.items):
        named = repr(ask.items[0]) if len(ask.items) == 1 else f"any of the {len(ask.items)} items"
        raise UnknownItem(f"The release does not know the item {named}.", field="items")
