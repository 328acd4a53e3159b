"""Sections of the first stages: events, checked, dataset."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from recloop.columns import EVENT_COLUMNS, ITEM_COLUMNS, REASONS, Columns
from recloop.config.contract import ContractConfig
from recloop.config.section import Section
from recloop.config.streams import KafkaConfig
from recloop.config.watching import WatchConfig


def _one_of(names: tuple[str, ...]) -> AfterValidator:
    def known(name: str) -> str:
        if name not in names:
            raise ValueError(f"{name!r} is none of {', '.join(names)}")
        return name

    return AfterValidator(known)


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone, such as Europe/Berlin or UTC")
    return name


EventColumn = Annotated[str, _one_of(EVENT_COLUMNS)]
ItemColumn = Annotated[str, _one_of(ITEM_COLUMNS)]
Reason = Annotated[str, _one_of(REASONS)]
Zone = Annotated[str, AfterValidator(_zone)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A datetime; UTC where the text names no zone"""
Kind = Literal["view", "click", "cart", "purchase", "rating", "skip"]
LayoutName = Literal["plain", "ga4", "shopify", "woocommerce", "segment"]


def _without_password(url: str | None) -> str | None:
    found = re.match(r"[^:/]+://[^/@]*:([^@/]+)@", url or "")
    if found and not re.fullmatch(r"\$\{\w+\}", found[1]):
        raise ValueError("holds a password. Put it into the environment and write ${ITS_NAME} instead")
    return url


Database = Annotated[str | None, AfterValidator(_without_password)]
"""SQLAlchemy URL; ${NAME} stands for an environment variable"""


class DataConfig(Section):
    """events: where they come from."""

    source: Literal["complete_journey", "table", "database", "kafka", "sequences", "public", "made_up"] = "table"
    events: str | None = None
    """table: CSV, Parquet or JSON lines; a path, a folder or s3://. database: a table or a SELECT. sequences: a file of
    lines `user item item ...`. kafka: kafka://host:port/topic. public: the name of a public data set (`recloop data list`).
    made_up: music, news or social"""
    items: str | None = None
    """as `events`; where it is not set, the catalogue is what `item_columns` finds in the events themselves"""
    users: str | None = None
    """attributes of users, given as `items` are: one row a user"""
    user_column: str = Columns.User
    """column of `users` that holds the user's id"""
    user_attributes: tuple[str, ...] = ()
    """columns of `users` that tell what to recommend to a user of whom no event is known"""
    database: Database = None
    kafka: KafkaConfig = KafkaConfig()
    contract: ContractConfig = ContractConfig()
    layout: LayoutName = "plain"
    """table, database: one row an event, or the export of a known system"""
    columns: dict[EventColumn, str] = Field(default_factory=dict)
    """canonical event column -> column in the file"""
    item_columns: dict[ItemColumn, str] = Field(default_factory=dict)
    """canonical item column -> column in the file"""
    event: Literal["view", "click", "cart", "purchase", "rating"] = "purchase"
    """kind of every row when the file has no event column"""
    kinds: dict[str, Kind] = Field(default_factory=dict)
    """the file's word, in lower case -> kind; rows of the kind skip are left out"""
    consent: str | None = None
    """column that says whether a person agreed (true, 1, yes, granted); of rows without, only kind and hour are kept"""
    timezone: Zone = "UTC"
    """of times that carry no zone"""
    time_format: str = ""
    """strftime form of times that are not ISO 8601, such as %d/%m/%Y %H:%M"""
    decimal: Literal[".", ","] = "."
    separator: str = Field("", max_length=1)
    """CSV: between fields; empty: a comma, in .tsv a tab"""
    encoding: Literal["utf8", "windows-1252"] = "utf8"
    """CSV"""
    category_separator: str = " > "
    """between the levels of a category's path, widest first"""
    deletions: str | None = None
    """a table, read as `events` is: rows that name what is to be forgotten by event_id, user_id, item_id, or several"""
    lateness_days: float | None = Field(None, ge=0)
    """table of several files: an event so much older than what earlier files hold is late; None: none is"""
    until: Moment | None = None
    """events at or after this moment are left out (they can be replayed)"""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if (self.users is None) == bool(self.user_attributes):
            raise ValueError(
                "users and user_attributes belong together: name the table and at least one of its columns"
            )
        return self


class QualityConfig(Section):
    """checked: how much may be wrong before a run stops."""

    max_bad_share: float = Field(0.02, ge=0, le=1)
    """share of rows that may go to quarantine, all reasons without a limit of their own together"""
    allowance: dict[Reason, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """reason -> share of rows, where one reason needs its own limit"""
    max_top_item_share: float = Field(0.2, ge=0, le=1)
    max_new_item_share: float = Field(0.5, ge=0, le=1)
    """items of the last 28 days that were never seen before; not judged on less than 28 days of history"""
    max_volume_change: float = Field(5.0, gt=1)
    """events a day in the last 28 days against the history before, as a ratio either way"""
    earliest: Moment = datetime(1990, 1, 1, tzinfo=UTC)
    max_price: float = Field(1e6, gt=0)
    max_quantity: float = Field(1e6, gt=0)
    sample_rows: int = Field(20_000, gt=0)
    watch: WatchConfig = WatchConfig()


class SplitConfig(Section):
    """dataset: what is known when."""

    kind: Literal["temporal", "leave_last_out"] = "temporal"
    test_days: int = Field(28, gt=0)
    min_item_events: int = Field(5, ge=0)
    """items with fewer events before the cut are not in the vocabulary; 0: every item of the catalogue is"""
