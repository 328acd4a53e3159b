"""A stranger's tables -> the section `data` of a configuration, what was understood and what is doubtful."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from recloop.columns import ITEM_COLUMNS, Columns
from recloop.data.onboarding.kinds import guess_kinds
from recloop.data.onboarding.names import ITEM_NAMES, candidates
from recloop.data.onboarding.roles import Roles, event_roles, item_roles
from recloop.data.sources.layouts.known import recognised
from recloop.data.sources.layouts.layout import Layout
from recloop.errors import BadData

LOOKED = 200_000
"""rows of a table that are looked at"""
WORDS = 12
"""kinds of event that are shown"""
LEVELS = (" > ", "|", ">", "/", ";")
"""what may part the levels of a category, if it occurs in this share of them"""
OFTEN = 0.2
TOTALS = ("total", "amount", "revenue", "sales_value", "sales_price")
"""parts of names of what a whole line brought"""


@dataclass(frozen=True)
class Hints:
    """What the user says; it is believed."""

    columns: Mapping[str, str] = field(default_factory=dict)
    item_columns: Mapping[str, str] = field(default_factory=dict)
    user_column: str = ""
    """of the table of users"""
    kinds: Mapping[str, str] = field(default_factory=dict)
    event: str = ""
    timezone: str = ""
    time_format: str = ""


@dataclass(frozen=True)
class Read:
    """One canonical column: where it is read from, and a value."""

    table: str
    canonical: str
    column: str
    example: str


@dataclass(frozen=True)
class Understanding:
    """data: keys of the section. words: (word, rows looked at, kind or '') of the event column."""

    layout: str
    data: dict[str, Any]
    columns: tuple[Read, ...]
    time: str
    words: tuple[tuple[str, int, str], ...]
    doubts: tuple[str, ...]


def understand(raw: pl.LazyFrame, items: pl.LazyFrame | None, hints: Hints) -> Understanding:
    """Raw rows of events, and perhaps of items -> Understanding.

    Raises BadData: no row, no column for user, item or time, or times whose days and months cannot be told apart.
    """
    looked = raw.head(LOOKED).collect()
    if looked.is_empty():
        raise BadData(
            "There is no event to look at: the table has no row, or a quotation mark that is never closed. Check the export."
        )
    layout = recognised(looked.schema)
    if layout is not None:
        return _exported(layout, raw, hints)
    roles = event_roles(looked, hints.columns, time_format=hints.time_format)
    data, words, doubts = _happened(looked, roles, hints)
    described, more, unsure = _described(looked, roles, items, hints)
    data = {"columns": _renamed(roles.at), **data, **more}
    return Understanding(
        "plain",
        {**data, **_time(roles, hints)},
        (*_read("events", looked, roles.at), *described),
        roles.time.words if roles.time else "",
        words,
        (*roles.doubts, *doubts, *unsure, *_zone(roles, hints), *_totals(looked, roles)),
    )


def _exported(layout: Layout, raw: pl.LazyFrame, hints: Hints) -> Understanding:
    """A known export: nothing is guessed but the kinds of words that it does not know."""
    events = layout.events(raw.head(LOOKED)).collect()
    if events.is_empty():
        raise BadData(f"This is an export of {layout.title}, and none of its first rows names an item. {layout.note}.")
    roles = event_roles(events, {c: c for c in events.columns}, time_format=hints.time_format)
    counted = _counted(events[Columns.Event])
    words = tuple((w, n, hints.kinds.get(w) or layout.kinds.get(w, "")) for w, n in counted)
    data: dict[str, Any] = {"layout": layout.name, **_time(roles, hints)}
    if hints.kinds:
        data["kinds"] = dict(hints.kinds)
    doubts = (f"{layout.title}: {layout.note}", *_unknown(words), *_zone(roles, hints))
    when = roles.time.words if roles.time else ""
    return Understanding(layout.name, data, _read("events", events, roles.at), when, words[:WORDS], doubts)


def _renamed(at: Mapping[str, str]) -> dict[str, str]:
    return {c: column for c, column in at.items() if c != column}


def _read(table: str, looked: pl.DataFrame, at: Mapping[str, str]) -> tuple[Read, ...]:
    firsts = {c: looked[column].drop_nulls().head(1).cast(pl.String).to_list() for c, column in at.items()}
    return tuple(Read(table, c, column, firsts[c][0] if firsts[c] else "") for c, column in at.items())


def _time(roles: Roles, hints: Hints) -> dict[str, Any]:
    found = {
        "time_format": hints.time_format or (roles.time.form if roles.time else ""),
        "timezone": hints.timezone,
        "decimal": roles.decimal if roles.decimal == "," else "",
    }
    return {key: value for key, value in found.items() if value}


def _zone(roles: Roles, hints: Hints) -> list[str]:
    if hints.timezone or (roles.time and roles.time.zoned):
        return []
    return ["time: no zone is named, UTC is assumed; if the clock is the shop's, say it: --timezone Europe/Berlin"]


def _happened(
    looked: pl.DataFrame, roles: Roles, hints: Hints
) -> tuple[dict[str, Any], tuple[tuple[str, int, str], ...], list[str]]:
    """Kinds of event from their column, or one kind for every row."""
    if Columns.Event in roles.at:
        counted = _counted(looked[roles.at[Columns.Event]])
        kinds = {**guess_kinds(w for w, _ in counted), **hints.kinds}
        words = tuple((w, n, kinds.get(w, "")) for w, n in counted)
        if kinds or Columns.Event in hints.columns:
            return {"kinds": {w: k for w, k in kinds.items() if w != k}}, words[:WORDS], _unknown(words)
        roles.doubts.append(f"{roles.at.pop(Columns.Event)!r} might say what happened, but none of its words is known")
    kind, why = _one_kind(roles)
    said = [] if hints.event else [f"event: no column says what happened; every row is taken for a {kind} ({why})"]
    return {"event": hints.event or kind}, (), said


def _one_kind(roles: Roles) -> tuple[str, str]:
    if Columns.Rating in roles.at:
        return "rating", "there are ratings"
    if {Columns.Price, Columns.Quantity, Columns.Basket} & set(roles.at):
        return "purchase", "there are prices, quantities or orders"
    return "view", "there is neither a price nor an order"


def _counted(words: pl.Series) -> list[tuple[str, int]]:
    """Words in lower case with their rows, most first; no more than a hundred."""
    lower = words.drop_nulls().cast(pl.String).str.strip_chars().str.to_lowercase().alias("word")
    counts = lower.to_frame().group_by("word").len().sort("len", "word", descending=[True, False]).head(100)
    return [(str(word), int(n)) for word, n in counts.rows()]


def _unknown(words: tuple[tuple[str, int, str], ...]) -> list[str]:
    lost = [f"{word!r} ({n:,} rows)" for word, n, kind in words if not kind]
    return (
        [f"event: not known are {', '.join(lost[:WORDS])}; say what they are: --kind WORD=view, or skip"]
        if lost
        else []
    )


def _described(
    looked: pl.DataFrame, roles: Roles, items: pl.LazyFrame | None, hints: Hints
) -> tuple[tuple[Read, ...], dict[str, Any], list[str]]:
    """The catalogue: of its own table, or what the events say about items."""
    if items is not None:
        table = items.head(LOOKED).collect()
        found = item_roles(table, hints.item_columns, item=roles.at[Columns.Item])
        more = {"item_columns": _renamed(found.at), **_levels(table, found.at)}
        return _read("items", table, found.at), more, found.doubts
    at = {**_beside(looked, roles), **hints.item_columns}
    if not at:
        return (), {}, ["items: no catalogue; titles, categories and brands are unknown. Bring one: --items PATH"]
    return _read("items", looked, at), {"item_columns": at, **_levels(looked, at)}, []


def _beside(looked: pl.DataFrame, roles: Roles) -> dict[str, str]:
    """Columns of the events that describe items: title, category, brand."""
    found: dict[str, str] = {}
    for role in (c for c in ITEM_COLUMNS if c not in {Columns.Item, Columns.Text}):
        named = candidates(role, [c for c in roles.free(looked) if c not in found.values()], ITEM_NAMES)
        able = [c for c in named if looked[c].dtype == pl.String]
        found |= {role: able[0]} if able else {}
    return found


def _levels(table: pl.DataFrame, at: Mapping[str, str]) -> dict[str, str]:
    """What parts the levels of the category, where it is not ' > '."""
    if Columns.Category not in at:
        return {}
    values = table[at[Columns.Category]].drop_nulls().cast(pl.String)
    shares = {mark: values.str.contains(mark, literal=True).sum() / max(len(values), 1) for mark in LEVELS}
    found = next((mark for mark, share in shares.items() if share > OFTEN), " > ")
    return {} if found == " > " else {"category_separator": found}


def _totals(looked: pl.DataFrame, roles: Roles) -> list[str]:
    """A line's total is no price of one unit."""
    totals = [c for c in roles.free(looked) if any(w in c.lower() for w in TOTALS)]
    if not totals or Columns.Price in roles.at:
        return []
    return [f"price: {totals[0]!r} looks like the total of a line or an order; divide it by the units in the export"]
