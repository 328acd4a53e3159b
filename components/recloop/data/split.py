"""checked -> dataset: vocabularies as of the cut, coded events, and the moments that split them."""

from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.config import SplitConfig
from recloop.data.coded import Coded
from recloop.data.dataset import Dataset
from recloop.data.ordering import stable_order
from recloop.data.vocabulary import Vocabulary
from recloop.data.windows import DAY, Split, windows
from recloop.errors import BadData

NEEDED = (
    Columns.User,
    Columns.Item,
    Columns.Time,
    Columns.Price,
    Columns.Quantity,
    Columns.Discount,
    Columns.Basket,
    Columns.Store,
)
"""of events that lie in the order of time and event id; others also need their event ids"""
NOBODY = Vocabulary(())
USER, ITEM, TIME = Columns.UserCode, Columns.ItemCode, Columns.Time


def build(
    events: pl.DataFrame,
    items: pl.DataFrame,
    config: SplitConfig,
    *,
    end: datetime | None = None,
    previous: tuple[Vocabulary, Vocabulary] | None = None,
) -> Dataset:
    """Canonical events and items -> Dataset. `end` of the data defaults to the second after the last event.

    Codes are given in the order of ids, which carries no popularity, and only for what occurs before the test window: an
    item needs `min_item_events` events there, and where that is 0 every item of the table has a code. `previous` (users,
    items) keeps its codes; new ids follow. Raises BadData.
    """
    if events.is_empty():
        raise BadData("There is no event to build a dataset from. Check data.until and the quarantine of the check.")
    seconds = _ordered(events.with_columns(pl.col(TIME).dt.epoch("s").cast(pl.Int64)))
    split = Split(kind=config.kind, end=_end(seconds, config, end), test_days=config.test_days)
    users, items_ = Coded.of(seconds[Columns.User]), Coded.of(seconds[Columns.Item])
    past = _past(seconds[TIME], users, split)
    known = tuple(before or NOBODY for before in previous or (None, None))
    people = known[0].grown(users.words.filter(pl.Series(users.counts(past) > 0)).sort())
    wares = known[1].grown(_frequent(items_, past, config) if config.min_item_events else items[Columns.Item].sort())
    coded = _coded(seconds, users.under(people), items_.under(wares))
    return Dataset(coded, _catalogue(items, wares), people, wares, split)


def _ordered(seconds: pl.DataFrame) -> pl.DataFrame:
    return seconds if seconds[TIME].is_sorted() else seconds.sort(TIME, Columns.EventId)


def _end(seconds: pl.DataFrame, config: SplitConfig, end: datetime | None) -> int:
    if end is not None:
        return int(end.timestamp())
    last = int(np.asarray(seconds[TIME].max())) + 1
    # whole days, so that the next dataset's windows lie beside this one's
    return last if config.kind == "leave_last_out" else -(-last // DAY) * DAY


def _past(times: pl.Series, users: Coded, split: Split) -> NDArray[np.bool_]:
    """Which events lie before the test window, whoever's."""
    n_users = len(users.words)
    codes = users.places.astype(np.int32) + 1
    rows = pl.DataFrame({USER: codes, TIME: times})
    window = windows(rows, split, n_users=n_users, count=1)[0]
    return times.to_numpy() < window.start[codes]


def _frequent(items: Coded, past: NDArray[np.bool_], config: SplitConfig) -> pl.Series:
    frequent = items.words.filter(pl.Series(items.counts(past) >= config.min_item_events)).sort()
    if frequent.is_empty():
        raise BadData(
            f"{np.count_nonzero(past):,} events lie before the test window, and no item has {config.min_item_events} of "
            f"them. Lower split.min_item_events or split.test_days ({config.test_days}), or bring more history."
        )
    return frequent


def _coded(seconds: pl.DataFrame, users: NDArray[np.int32], items: NDArray[np.int32]) -> pl.DataFrame:
    """Events under their codes, by user; good events lie in the order of time already, to the microsecond."""
    numbers = [pl.col(c).cast(pl.Float32).fill_null(0.0) for c in (Columns.Price, Columns.Quantity, Columns.Discount)]
    coded = seconds.select(
        pl.Series(USER, users), pl.Series(ITEM, items), Columns.Item, TIME, *numbers, Columns.Basket, Columns.Store
    )
    return coded.rechunk()[stable_order(users)]  # to take rows out of many chunks costs ten times as much


def _catalogue(items: pl.DataFrame, known: Vocabulary) -> pl.DataFrame:
    """One row a known item in code order; an item that the table no longer describes keeps its id as title."""
    ids = pl.DataFrame({Columns.Item: list(known.ids)}, schema={Columns.Item: pl.String})
    return (
        ids.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias(ITEM))
        .join(items, on=Columns.Item, how="left", maintain_order="left")
        .select(
            ITEM,
            Columns.Item,
            pl.coalesce(Columns.Title, Columns.Item).alias(Columns.Title),
            pl.col(Columns.Category).fill_null(""),
            pl.col(Columns.Brand).fill_null(""),
        )
    )
