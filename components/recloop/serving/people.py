"""Ids of people as callers send them -> as the store knows them, before anything remembers them."""

from collections.abc import Callable, Sequence
from typing import Any

from recloop.serving.schemas import Ask

Rename = Callable[[Sequence[str]], list[str]]
"""ids -> the names under which they are kept, in the same order"""
NAMES = ("event_id", "user_id", "basket_id")


def renamed_ask(ask: Ask, rename: Rename | None) -> Ask:
    """The question of the person under the name that is kept."""
    if rename is None or ask.user_id is None:
        return ask
    return ask.model_copy(update={"user_id": rename([ask.user_id])[0]})


def renamed_records(records: Sequence[dict[str, Any]], rename: Rename | None) -> list[dict[str, Any]]:
    """Journal records with the names that are kept; all ids of a batch are renamed at once."""
    if rename is None:
        return list(records)
    given = sorted({r[name] for r in records for name in NAMES if r.get(name) is not None})
    kept = dict(zip(given, rename(given), strict=True))
    return [record | {name: kept[record[name]] for name in NAMES if record.get(name) is not None} for record in records]
