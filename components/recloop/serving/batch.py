"""The top k of every user of a release, block by block."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.config import RulesConfig
from recloop.models.ranked import Ranked
from recloop.serving.bundle import Bundle
from recloop.serving.rules.compiled import permitted_at

USERS = 4096
"""of one table: some 100 MB at most, whatever the number of users"""


def blocks(folder: Path, *, k: int, threads: int, rules: RulesConfig, size: int = USERS) -> Iterator[pl.DataFrame]:
    """Bundle folder -> tables of `size` users each: user_id, rank, item_id, title, score; a row a recommendation, by user, rank.

    What the scenario's rules forbid at the release's end is left out; their caps, boosts and pins are of single answers.
    """
    bundle = Bundle.load(folder, threads=threads)
    allowed = permitted_at(rules, bundle, bundle.end)
    names = tuple(pl.Series(column, dtype=pl.String) for column in (bundle.catalogue.ids, bundle.catalogue.titles))
    users = pl.Series(bundle.users.ids, dtype=pl.String)
    for start in range(0, len(bundle.past), size):
        past = bundle.past.part(start, start + size)
        found = bundle.model.recommend(past, k=k, allowed=allowed, exclude_seen=rules.exclude_seen)
        yield _table(found, users[start : start + size], *names)


def _table(found: Ranked, users: pl.Series, ids: pl.Series, titles: pl.Series) -> pl.DataFrame:
    row, place = np.nonzero(found.items)
    codes = found.items[row, place]
    return pl.DataFrame(
        {
            Columns.User: users.gather(row),
            Columns.Rank: (place + 1).astype(np.int32),
            Columns.Item: ids.gather(codes),
            Columns.Title: titles.gather(codes),
            Columns.Score: found.scores[row, place],
        }
    )
