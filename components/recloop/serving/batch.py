"""The top k of every user of a release, as one table."""

from pathlib import Path

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.serving.bundle import Bundle


def top_k(folder: Path, *, k: int, threads: int) -> pl.DataFrame:
    """Bundle folder -> user_id, rank, item_id, title, score; one row a recommendation, by user and rank."""
    bundle = Bundle.load(folder, threads=threads)
    found = bundle.model.recommend(bundle.past, k=k)
    users, places = np.nonzero(found.items)
    codes = found.items[users, places]
    names = bundle.catalogue
    return pl.DataFrame(
        {
            Columns.User: np.array(bundle.users.ids, dtype=object)[users].tolist(),
            Columns.Rank: (places + 1).astype(np.int32),
            Columns.Item: np.array(names.ids, dtype=object)[codes].tolist(),
            Columns.Title: np.array(names.titles, dtype=object)[codes].tolist(),
            Columns.Score: found.scores[users, places],
        }
    )
