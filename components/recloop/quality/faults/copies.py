"""Faults of rows that should not be there: copies, replays, bots, and one id for all."""

from datetime import timedelta

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.quality.faults.batch import Batch, some

WEEK = timedelta(days=6)


def duplicate_rows(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Rows delivered twice, ids and all."""
    return batch.changed(pl.concat([batch.rows, batch.rows.filter(some(batch.rows, share, rng))]))


def duplicate_impressions(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Rows sent again some seconds later under new ids."""
    chosen = batch.rows.filter(some(batch.rows, share, rng))
    later = pl.col(Columns.Time) + pl.duration(seconds=pl.lit(pl.Series(rng.integers(0, 20, chosen.height))))
    again = batch.fresh(chosen.with_columns(later.alias(Columns.Time)), "again")
    return batch.changed(pl.concat([batch.rows, again]).filter(batch.today))


def replayed_day(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """A share of the day replaced by rows of six days before, under today's date and new ids."""
    kept = batch.rows.filter(~pl.lit(pl.Series(some(batch.rows, share, rng))))
    old = batch.events.with_columns(pl.col(Columns.Time) + WEEK).filter(batch.today)
    taken = old.sample(min(old.height, batch.rows.height - kept.height), seed=int(rng.integers(2**31)))
    return batch.changed(pl.concat([kept, batch.fresh(taken, "replay")]))


def bot(batch: Batch, events: float, rng: np.random.Generator) -> Batch:
    """A new user at a steady pace for two hours, through random items."""
    at = np.sort(rng.integers(0, 7200, int(events))) + 14 * 3600
    return _session(batch, "77000001", at, rng)


def burst_session(batch: Batch, events: float, rng: np.random.Generator) -> Batch:
    """A known user whose client goes wild for ten minutes."""
    known = batch.rows[Columns.User].drop_nulls().unique().sort()
    at = np.sort(rng.integers(0, 600, int(events))) + 18 * 3600
    return _session(batch, str(known[int(rng.integers(len(known)))]), at, rng)


def default_user(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Rows whose user was not known go to user 0."""
    return batch.updated(some(batch.rows, share, rng), user_id=pl.lit("0"))


def default_item(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Rows whose item was not known go to one item."""
    first = batch.items[Columns.Item].sort()[0]
    return batch.updated(some(batch.rows, share, rng), item_id=pl.lit(first))


def concentration(batch: Batch, share: float, rng: np.random.Generator) -> Batch:
    """Rows of all items go to the five that sell best, as where a list of bestsellers is read in place of the baskets."""
    counts = batch.rows[Columns.Item].value_counts(name="n")
    best = counts.sort("n", Columns.Item, descending=[True, False])[Columns.Item].head(5)
    chosen = some(batch.rows, share, rng)
    pushed = pl.Series(best.gather(rng.integers(0, len(best), batch.rows.height)))
    return batch.updated(chosen, item_id=pl.lit(pushed))


def _session(batch: Batch, user: str, seconds: np.ndarray, rng: np.random.Generator) -> Batch:
    """Events of one user at seconds of the day, of rows drawn from the day."""
    drawn = batch.rows.sample(len(seconds), with_replacement=True, seed=int(rng.integers(2**31)))
    moments = pl.lit(batch.start) + pl.duration(seconds=pl.lit(pl.Series(seconds)))
    session = drawn.with_columns(
        pl.lit(user).alias(Columns.User),
        moments.cast(drawn.schema[Columns.Time]).alias(Columns.Time),
        pl.lit(f"session-{user}").alias(Columns.Basket),
    )
    return batch.changed(pl.concat([batch.rows, batch.fresh(session, "session")]))
