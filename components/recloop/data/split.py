"""checked -> dataset: vocabularies as of the cut, coded events, and the moments that split them."""

from datetime import datetime

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.config import SplitConfig
from recloop.data.dataset import Dataset
from recloop.data.vocabulary import Vocabulary
from recloop.data.windows import DAY, Split, windows
from recloop.errors import BadData

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
    seconds = events.with_columns(pl.col(TIME).dt.epoch("s").cast(pl.Int64))
    last = _end(seconds, config, end)
    split = Split(kind=config.kind, end=last, test_days=config.test_days)
    past = _past(seconds, split)
    users = (previous[0] if previous else Vocabulary(())).grown(past[Columns.User].unique().sort())
    known = (previous[1] if previous else Vocabulary(())).grown(
        _frequent(past, config) if config.min_item_events else items[Columns.Item].sort()
    )
    return Dataset(_coded(seconds, users, known), _catalogue(items, known), users, known, split)


def _end(seconds: pl.DataFrame, config: SplitConfig, end: datetime | None) -> int:
    if end is not None:
        return int(end.timestamp())
    last = int(np.asarray(seconds[TIME].max())) + 1
    # whole days, so that the next dataset's windows lie beside this one's
    return last if config.kind == "leave_last_out" else -(-last // DAY) * DAY


def _past(seconds: pl.DataFrame, split: Split) -> pl.DataFrame:
    """Events before the test window, whoever's."""
    if split.kind == "temporal":
        return seconds.filter(pl.col(TIME) < windows(seconds, split, n_users=0, count=1)[0].as_of)
    ids = Vocabulary(tuple(seconds[Columns.User].unique().sort()))
    codes = ids.encode(seconds[Columns.User])
    window = windows(seconds.with_columns(codes.alias(USER)), split, n_users=len(ids), count=1)[0]
    return seconds.filter(pl.col(TIME) < pl.Series(window.start[codes.to_numpy()]))


def _frequent(past: pl.DataFrame, config: SplitConfig) -> pl.Series:
    counts = past.group_by(Columns.Item).len()
    frequent = counts.filter(pl.col("len") >= config.min_item_events)[Columns.Item].sort()
    if frequent.is_empty():
        raise BadData(
            f"{past.height:,} events lie before the test window, and no item has {config.min_item_events} of them. Lower "
            f"split.min_item_events or split.test_days ({config.test_days}), or bring more history."
        )
    return frequent


def _coded(seconds: pl.DataFrame, users: Vocabulary, items: Vocabulary) -> pl.DataFrame:
    numbers = [pl.col(c).cast(pl.Float32).fill_null(0.0) for c in (Columns.Price, Columns.Quantity, Columns.Discount)]
    ordered = seconds if seconds[TIME].is_sorted() else seconds.sort(TIME, Columns.EventId)
    user, item = users.encode(ordered[Columns.User]), items.encode(ordered[Columns.Item])
    coded = ordered.select(
        user.alias(USER), item.alias(ITEM), Columns.Item, TIME, *numbers, Columns.Basket, Columns.Store
    )
    # stable: good events lie in the order of time already, to the microsecond
    return coded.sort(USER, maintain_order=True)


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
