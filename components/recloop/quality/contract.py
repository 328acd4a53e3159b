"""Promises of a source: fresh, complete, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl

from recloop.columns import Columns
from recloop.config.contract import ContractConfig

CONTRACT = "contract"
"""the suite's name in Data Docs"""


@dataclass(frozen=True)
class Promise:
    """One figure against what was promised."""

    name: str
    found: float
    least: float | None
    most: float | None
    words: str
    """with the figure, for people"""

    @property
    def kept(self) -> bool:
        """Whether the figure lies within."""
        return (self.least is None or self.found >= self.least) and (self.most is None or self.found <= self.most)


def promises(good: pl.DataFrame, items: pl.DataFrame, contract: ContractConfig, *, now: datetime) -> list[Promise]:
    """Good events (EVENT_SCHEMA, in the order of time), items -> every promise of the contract with its figure."""
    newest = good[Columns.Time].max() if good.height else None
    if not isinstance(newest, datetime):
        return []
    recent = good.filter(pl.col(Columns.Time) > newest - timedelta(days=contract.days))
    return [
        *_fresh(newest, contract.fresh_hours, now),
        *(_filled(recent, column, least, "events") for column, least in sorted(contract.filled.items())),
        *(_filled(items, column, least, "items") for column, least in sorted(contract.items_filled.items())),
        *_daily(good, newest, contract),
    ]


def sentences(found: Sequence[Promise], contract: ContractConfig) -> tuple[str, ...]:
    """A sentence for each promise that is not kept, with whom to ask."""
    ask = f"Ask {contract.owner}." if contract.owner else "Name whom to ask: data.contract.owner."
    return tuple(f"{promise.words}. {ask}" for promise in found if not promise.kept)


def contract_suite(found: Sequence[Promise]) -> tuple[gx.ExpectationSuite, pd.DataFrame]:
    """The suite of the contract, and the one row that it judges: a column a promise."""
    between = [gxe.ExpectColumnValuesToBeBetween(column=p.name, min_value=p.least, max_value=p.most) for p in found]
    return gx.ExpectationSuite(name=CONTRACT, expectations=between), pd.DataFrame([{p.name: p.found for p in found}])


def _fresh(newest: datetime, most: float | None, now: datetime) -> list[Promise]:
    if most is None:
        return []
    age = (now - newest) / timedelta(hours=1)
    words = f"The newest event is {age:,.1f} hours old ({newest:%Y-%m-%d %H:%M} UTC); {most:g} are promised"
    return [Promise("age_hours", age, None, most, words)]


def _filled(rows: pl.DataFrame, column: str, least: float, what: str) -> Promise:
    values = rows[column]
    blank = values.is_null() if values.dtype != pl.String else values.fill_null("").str.strip_chars() == ""
    share = 1 - int(blank.sum()) / max(rows.height, 1)
    words = f"{share:.2%} of {rows.height:,} {what} have a {column}; {least:.2%} are promised"
    return Promise(f"{what}_{column}_filled", share, least, None, words)


def _daily(good: pl.DataFrame, newest: datetime, contract: ContractConfig) -> list[Promise]:
    """The poorest of the days before the newest one; a day without an event is among them."""
    if contract.least_a_day is None:
        return []
    days = pl.DataFrame(
        {"day": pl.date_range(newest - timedelta(days=contract.days), newest, closed="left", eager=True)}
    )
    counts = days.join(good.group_by(day=pl.col(Columns.Time).dt.date()).len(), on="day", how="left").fill_null(0)
    day, rows = counts.sort("len", "day").row(0)
    words = f"{day} has {rows:,} events; {contract.least_a_day:,} a day are promised"
    return [Promise("events_least_day", rows, contract.least_a_day, None, words)]
