"""Faults of prices and columns: currencies, units, joins out of step, values lost."""

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.quality.faults.batch import Batch, some

CENTS, YEN = 100.0, 150.0


def currency(batch: Batch, factor: float, rng: np.random.Generator) -> Batch:
    """Every price in another currency, or with tax."""
    del rng
    return batch.updated(np.ones(batch.rows.height, dtype=bool), price=pl.col(Columns.Price) * factor)


def currency_mix(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Some prices in cents."""
    return batch.updated(some(batch.rows, share, rng), price=pl.col(Columns.Price) * CENTS)


def store_currency(batch: Batch, factor: float, rng: np.random.Generator) -> Batch:
    """One of the five largest shops sends another currency."""
    shop = largest(batch.events, Columns.Store, int(rng.integers(5)))
    return batch.updated(
        (batch.rows[Columns.Store] == shop).fill_null(False).to_numpy(), price=pl.col(Columns.Price) * factor
    )


def price_mismatch(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Prices of other rows: a join out of step."""
    chosen = some(batch.rows, share, rng)
    prices = batch.rows[Columns.Price].to_numpy().copy()
    prices[chosen] = rng.permutation(prices[chosen])
    return batch.changed(batch.rows.with_columns(pl.Series(Columns.Price, prices).fill_nan(None)))


def price_to_zero(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Prices that were lost and read as nothing."""
    return batch.updated(some(batch.rows, share, rng), price=pl.lit(0.0))


def price_lost(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Rows without a price."""
    return batch.updated(some(batch.rows, share, rng), price=pl.lit(None, pl.Float64))


def store_lost(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Rows without a shop."""
    return batch.updated(some(batch.rows, share, rng), store_id=pl.lit(None, pl.String))


def number_format(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Prices written with a comma, which cannot be read."""
    chosen = some(batch.rows, share, rng)
    return batch.updated(
        chosen, price=pl.lit(None, pl.Float64), reason=pl.lit("unreadable_number"), detail=pl.lit("price=1,99")
    )


def quantity_unit(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Quantities in another unit: twelve pieces for a dozen."""
    return batch.updated(some(batch.rows, share, rng), quantity=pl.col(Columns.Quantity) * 12)


def largest(rows: pl.DataFrame, column: str, rank: int) -> str:
    """The value with the most visits; rank 0 is the first."""
    known = rows.filter(pl.col(column).is_not_null()).group_by(column).agg(pl.col(Columns.Basket).n_unique().alias("n"))
    ordered = known.sort("n", column, descending=[True, False])
    return str(ordered[column][min(rank, ordered.height - 1)])
