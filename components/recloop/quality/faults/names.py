"""Faults of ids and kinds: of another form, of another thing, unknown, merged."""

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.quality.faults.batch import Batch, some, some_ids


def orphan_items(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Items that the catalogue does not have."""
    return batch.updated(some(batch.rows, share, rng), item_id=pl.lit("9") + pl.col(Columns.Item))


def encoding(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """User ids written in one encoding and read in another."""
    return batch.updated(some(batch.rows, share, rng), user_id=pl.lit("\u00c3\u00bc") + pl.col(Columns.User))


def schema_drift(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """User ids exported as floats."""
    return batch.updated(some(batch.rows, share, rng), user_id=pl.col(Columns.User) + ".0")


def padded_ids(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """User ids filled up with zeros: of the same form, and all new."""
    return batch.updated(some(batch.rows, share, rng), user_id=pl.lit("0000") + pl.col(Columns.User))


def new_users(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Visits under ids made anew each time."""
    fresh = pl.format("88{}", pl.col(Columns.Basket).hash(7) % 1_000_000)
    return batch.updated(some_ids(batch.rows, Columns.User, share, rng), user_id=fresh)


def user_id_reuse(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Ids given to other people: a share of the users of the day get each other's."""
    return _swapped(batch, Columns.User, share, rng)


def item_id_reuse(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Ids given to other products: a share of the items of the day get each other's."""
    return _swapped(batch, Columns.Item, share, rng)


def merged_users(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Ids cut to their last two characters for a share of the users."""
    return batch.updated(some_ids(batch.rows, Columns.User, share, rng), user_id=pl.col(Columns.User).str.slice(-2))


def renamed_kind(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Events under a name that is none of the kinds."""
    return batch.updated(some(batch.rows, share, rng), event=pl.lit("order_completed"))


def missing_consent(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """The consent flag is lost for a share of the users."""
    return batch.updated(some_ids(batch.rows, Columns.User, share, rng), reason=pl.lit("no_consent"))


def _swapped(batch: Batch, column: str, share: float, rng: np.random.Generator) -> Batch:
    chosen = some_ids(batch.rows, column, share, rng)
    ids = batch.rows.filter(chosen)[column].unique().sort()
    other = ids.gather(np.roll(rng.permutation(len(ids)), 1))
    return batch.updated(chosen, **{column: pl.col(column).replace(ids, other)})
