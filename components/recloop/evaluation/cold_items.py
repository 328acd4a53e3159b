"""Items made cold: few events are left of some before the test, so that a model can be asked for what it hardly knows."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.data.dataset import Dataset
from recloop.data.truth import Truth
from recloop.evaluation.metrics import hits

GROUPS = {"0": (0, 0), "1-2": (1, 2), "3-5": (3, 5)}
"""name -> the fewest and the most events that are left of an item"""
MOST = 5


@dataclass(frozen=True)
class ColdItems:
    """A dataset in which some items keep few events before the test window; kept: how many, -1 for all. [n_codes]"""

    dataset: Dataset
    kept: NDArray[np.int64]

    @property
    def cold(self) -> NDArray[np.bool_]:
        """Items whose events were taken away. [n_codes]"""
        return self.kept >= 0

    def group(self, name: str) -> NDArray[np.bool_]:
        """The cold items of a group. [n_codes]"""
        least, most = GROUPS[name]
        return (self.kept >= least) & (self.kept <= most)


def cold_items(dataset: Dataset, *, share: float, seed: int) -> ColdItems:
    """Draw a share of the items and how many events each keeps, none to MOST, and drop its other events at random.

    What lies in the test window stays whole.
    """
    rng = np.random.default_rng([seed, 11])
    n_codes = dataset.catalogue.height + 1
    kept = np.where(rng.random(n_codes) < share, rng.integers(0, MOST + 1, n_codes), -1)
    kept[0] = -1
    events = dataset.events
    codes, users = events[Columns.ItemCode].to_numpy(), events[Columns.UserCode].to_numpy()
    past = events[Columns.Time].to_numpy() < dataset.test.start[users]
    drawn = pl.DataFrame({"code": codes, "past": past, "key": rng.random(len(codes))})
    nth = drawn.select(pl.col("key").rank("ordinal").over("code", "past")).to_series().to_numpy() - 1
    stays = ~past | (kept[codes] < 0) | (nth < kept[codes])
    return ColdItems(replace(dataset, events=events.filter(pl.Series(stays))), kept)


def recall_of(items: NDArray[np.int32], truth: Truth, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Lists [n, k] -> share of each user's wanted items [n_codes] that are in it; nan where there is none. [n]"""
    own = wanted[truth.items]
    rows, n = truth.rows[own], len(truth)
    hit = hits(items, rows, truth.items[own]).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(hit / np.bincount(rows, minlength=n))
