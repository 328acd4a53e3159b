"""Columns of a table -> the canonical column that each holds, by its name and by what is in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from recloop.columns import EVENT_COLUMNS, ITEM_COLUMNS, Columns
from recloop.data.onboarding.names import ITEM_NAMES, candidates
from recloop.data.onboarding.times import TimeGuess, guess_time
from recloop.errors import BadData

REQUIRED = {Columns.Time: "time", Columns.User: "user", Columns.Item: "item"}
NUMBERS = (Columns.Price, Columns.Quantity, Columns.Rating, Columns.Discount)
ORDER = (Columns.Time, Columns.Item, Columns.User, *(c for c in EVENT_COLUMNS if c not in REQUIRED))
NUMBER = r"^\s*-?\d{1,3}(\.?\d{3})*(,\d+)?\s*$"
COMMA = r"^\s*-?[\d.]*\d,\d+\s*$"
EMPTY: Mapping[str, str] = {}


@dataclass
class Roles:
    """at: canonical column -> column of the table. doubts: what may be otherwise, a sentence each."""

    at: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    time: TimeGuess | None = None
    decimal: str = "."

    def free(self, looked: pl.DataFrame) -> list[str]:
        """Columns that no role has taken."""
        return [c for c in looked.columns if c not in self.at.values()]


def event_roles(looked: pl.DataFrame, given: Mapping[str, str] = EMPTY, *, time_format: str = "") -> Roles:
    """The first rows of a table of events -> Roles; what is `given` (canonical -> column) is believed.

    Raises BadData: a given column that is not there, or no column for a required role.
    """
    roles = Roles(dict(_there(looked, given)), decimal=_decimal(looked))
    for role in ORDER:
        if role not in roles.at:
            _take(role, looked, roles, time_format)
    _timed(looked, roles, time_format)
    return roles


def item_roles(looked: pl.DataFrame, given: Mapping[str, str] = EMPTY, *, item: str | None = None) -> Roles:
    """The first rows of a table of items -> Roles. `item`: the column of the events' item, to be found here by its name."""
    roles = Roles(dict(_there(looked, given)))
    if Columns.Item not in roles.at and item in looked.columns:
        roles.at[Columns.Item] = str(item)
    for role in ITEM_COLUMNS:
        found = [c for c in candidates(role, roles.free(looked), ITEM_NAMES) if looked[c].null_count() < looked.height]
        if role not in roles.at and found:
            roles.at[role] = found[0]
            roles.doubts += _others(role, found)
    if Columns.Item not in roles.at:
        raise BadData(
            f"No column of the items names the item. {_columns(looked)} Say which: --item-column item_id=COLUMN"
        )
    return roles


def _there(looked: pl.DataFrame, given: Mapping[str, str]) -> Mapping[str, str]:
    lost = [column for column in given.values() if column not in looked.columns]
    if lost:
        raise BadData(f"There is no column {', '.join(map(repr, lost))}. {_columns(looked)}")
    return given


def _take(role: str, looked: pl.DataFrame, roles: Roles, time_format: str) -> None:
    """Give a role the first column that fits by name and content; else, if it is required, by content alone."""
    fits = _fitting(role, roles.decimal, time_format)
    named = [c for c in candidates(role, roles.free(looked)) if fits(looked[c])]
    if named:
        roles.at[role] = named[0]
        roles.doubts += _others(role, named)
    elif role in REQUIRED:
        roles.at[role] = _by_content(role, looked, roles, fits)
        roles.doubts.append(f"{role}: no usual name; {roles.at[role]!r} is the only column that could hold it")


def _others(role: str, named: list[str]) -> list[str]:
    rest = ", ".join(map(repr, named[1:4]))
    return [f"{role}: taken from {named[0]!r}; it could also be {rest}"] if rest else []


def _by_content(role: str, looked: pl.DataFrame, roles: Roles, fits: Callable[[pl.Series], bool]) -> str:
    able = [c for c in roles.free(looked) if fits(looked[c]) and (role == Columns.Time or _names(looked[c]))]
    if len(able) == 1:
        return able[0]
    what = "Several could: " + ", ".join(map(repr, able)) + "." if able else "None could."
    raise BadData(
        f"No column has a usual name of the {REQUIRED[role]}. {what} {_columns(looked)} Say which: --column {role}=COLUMN"
    )


def _names(values: pl.Series) -> bool:
    """Whether a column may name users or items: whole numbers or short text, values that come again."""
    if not (values.dtype.is_integer() or values.dtype == pl.String):
        return False
    distinct = values.n_unique()
    return 1 < distinct < max(0.9 * len(values), 3) and not values.cast(pl.String).str.contains(r"\.\d").any()


def _fitting(role: str, decimal: str, time_format: str) -> Callable[[pl.Series], bool]:
    if role == Columns.Time:
        return lambda values: bool(time_format) or guess_time(values) is not None
    if role in NUMBERS:
        return lambda values: _numeric(values, decimal) and (role != Columns.Discount or _shares(values))
    if role == Columns.EventId:
        return lambda values: values.is_unique().all()
    if role == Columns.Event:
        return lambda values: values.dtype == pl.String and values.n_unique() <= 100
    return lambda values: values.null_count() < len(values) and not values.dtype.is_temporal()


def _timed(looked: pl.DataFrame, roles: Roles, time_format: str) -> None:
    guess = guess_time(looked[roles.at[Columns.Time]]) if not time_format else None
    roles.time = guess or TimeGuess(time_format, "%z" in time_format, 1.0, f"text of the form {time_format}")
    if not time_format and guess is None:
        example = looked[roles.at[Columns.Time]].drop_nulls().head(1).to_list()
        raise BadData(
            f"{roles.at[Columns.Time]!r} is no time: {example}. Give its form: --time-format '%d/%m/%Y %H:%M'"
        )


def _decimal(looked: pl.DataFrame) -> str:
    """A comma where the text of some column is numbers with one."""
    texts = (looked[c].drop_nulls() for c, kind in looked.schema.items() if kind == pl.String)
    found = any(len(t) and t.str.contains(NUMBER).all() and t.str.contains(COMMA).any() for t in texts)
    return "," if found else "."


def _numeric(values: pl.Series, decimal: str) -> bool:
    if values.dtype.is_numeric():
        return True
    if values.dtype != pl.String:
        return False
    held = values.drop_nulls().str.strip_chars()
    held = held.filter(held != "")
    plain = held.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True) if decimal == "," else held
    return len(held) > 0 and plain.cast(pl.Float64, strict=False).null_count() < 0.1 * len(held)


def _shares(values: pl.Series) -> bool:
    return bool(values.cast(pl.Float64, strict=False).drop_nulls().is_between(0, 1).all())


def _columns(looked: pl.DataFrame) -> str:
    return f"The columns are {', '.join(map(repr, looked.columns))}."
