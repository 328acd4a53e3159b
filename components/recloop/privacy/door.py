"""events as read -> events that may be stored, and the report of what was left at the door."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.config.privacy import PrivacyConfig
from recloop.privacy.pseudonyms import Keys, pseudonyms

IDS = (Columns.User, Columns.Basket, Columns.EventId)
NEUTRAL = {Columns.Quantity: 1.0, Columns.Discount: 0.0}
"""what a dropped column holds where it may not be null"""


@dataclass(frozen=True)
class Report:
    """What of the data entered, and what did not."""

    rows: int
    """that were read"""
    no_consent: int
    """of them, rows of which only the hour and the kind were kept, so that they can be counted"""
    erased: int
    """rows of people on the erasure list"""
    expired: dict[str, int]
    """kind -> rows older than privacy.keep_days"""
    pseudonymised: tuple[str, ...]
    coarsened: dict[str, str]
    dropped: tuple[str, ...]
    """columns that were declared as not needed"""
    unread: tuple[str, ...]
    """columns of the source that no part of the configuration names; they were never read"""

    def save(self, path: Path) -> None:
        """Write canonical JSON."""
        path.write_text(json.dumps(asdict(self), sort_keys=True, indent=1) + "\n")


def admit(
    events: pl.DataFrame,
    *,
    config: PrivacyConfig,
    keys: Keys | None,
    erased: Collection[str],
    unread: Collection[str],
    now: datetime,
) -> tuple[pl.DataFrame, Report]:
    """Events as read (READ_SCHEMA) -> the rows that may be stored, and the Report.

    `keys`: of the pseudonyms; needed where the section or an erasure list asks for them. `erased`: pseudonyms of people
    whose events are left out, whether ids are stored as pseudonyms or not.
    """
    stays, gone = forgotten(events, keys, erased)
    fresh, expired = unexpired(stays, config, now)
    if config.pseudonymise and keys is not None:
        fresh = fresh.with_columns(pseudonyms(fresh[c], keys).alias(c) for c in IDS)
    report = Report(
        rows=events.height,
        no_consent=events.filter(pl.col(Columns.Reason) == "no_consent").height,
        erased=gone,
        expired=expired,
        pseudonymised=IDS if config.pseudonymise else (),
        coarsened=_coarse(config),
        dropped=tuple(sorted(config.drop)),
        unread=tuple(sorted(unread)),
    )
    return _coarsened(fresh, config), report


def forgotten(events: pl.DataFrame, keys: Keys | None, erased: Collection[str]) -> tuple[pl.DataFrame, int]:
    """Events without those of erased people, whose ids may be pseudonyms already -> (the rest, rows left out)."""
    if not erased or keys is None:
        return events, 0
    users = events[Columns.User]
    listed = pl.Series(sorted(erased))
    hit = (users.is_in(listed.implode()) | pseudonyms(users, keys).is_in(listed.implode())).fill_null(False)
    return events.filter(~hit), int(hit.sum())


def unexpired(events: pl.DataFrame, config: PrivacyConfig, now: datetime) -> tuple[pl.DataFrame, dict[str, int]]:
    """Events within the days that their kind is kept, and how many of each kind are older."""
    old: dict[str, pl.Expr] = {
        kind: ((pl.col(Columns.Event) == kind) & (pl.col(Columns.Time) < now - timedelta(days=days))).fill_null(False)
        for kind, days in sorted(config.keep_days.items())
    }
    counts = {kind: events.filter(expired).height for kind, expired in old.items()}
    return events.filter(~pl.any_horizontal(pl.lit(False), *old.values())), counts


def _coarsened(events: pl.DataFrame, config: PrivacyConfig) -> pl.DataFrame:
    changed: dict[str, pl.Expr] = {c: pl.lit(NEUTRAL.get(c), events.schema[c]) for c in config.drop}
    if config.hours:
        changed[Columns.Time] = pl.col(Columns.Time).dt.truncate(f"{config.hours}h")
    if config.price_step and Columns.Price not in config.drop:
        changed[Columns.Price] = (pl.col(Columns.Price) / config.price_step).round() * config.price_step
    return events.with_columns(value.alias(c) for c, value in changed.items())


def _coarse(config: PrivacyConfig) -> dict[str, str]:
    found = {Columns.Time: f"{config.hours} hours"} if config.hours else {}
    return found | ({Columns.Price: f"steps of {config.price_step:g}"} if config.price_step else {})
