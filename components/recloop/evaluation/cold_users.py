"""Users made cold in one of two domains: their past in it is taken away, their past in the other one stays."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.data.dataset import Dataset
from recloop.data.truth import Truth
from recloop.errors import BadData

LISTED = 20


@dataclass(frozen=True)
class ColdUsers:
    """Two domains of items, and users who are new to the target. target [n_codes], cold [n_users + 1]"""

    dataset: Dataset
    target: NDArray[np.bool_]
    cold: NDArray[np.bool_]

    def truth(self) -> Truth:
        """What the cold users took of the target in the test window."""
        whole = self.dataset.truth(self.dataset.test)
        own = replace(whole, new=self.target[whole.items]).fresh()
        return own.take(np.flatnonzero(self.cold[own.users]))


def cold_users(dataset: Dataset, source: str, target: str, *, share: float, seed: int) -> ColdUsers:
    """Keep the events of two domains, draw a share of the users, and drop what these took of the target before the test.

    A domain is told by how the items' category begins. Raises BadData where no item is of one.
    """
    inside = {name: domain(dataset, name) for name in (source, target)}
    events = dataset.events
    codes, users = events[Columns.ItemCode].to_numpy(), events[Columns.UserCode].to_numpy()
    cold = np.random.default_rng([seed, 13]).random(len(dataset.users) + 1) < share
    past = events[Columns.Time].to_numpy() < dataset.test.start[users]
    stays = inside[source][codes] | (inside[target][codes] & ~(past & cold[users]))
    return ColdUsers(replace(dataset, events=events.filter(pl.Series(stays))), inside[target], cold)


def domain(dataset: Dataset, name: str) -> NDArray[np.bool_]:
    """Items whose category begins with a name. [n_codes] Raises BadData that lists the categories."""
    category = dataset.catalogue[Columns.Category]
    found = category.str.starts_with(name).to_numpy()
    if not found.any():
        counts = category.str.split(" > ").list.first().value_counts()
        widest = counts.sort("count", Columns.Category, descending=[True, False])[Columns.Category].to_list()[:LISTED]
        raise BadData(f"No item is of a category that begins with {name!r}. The widest are: {', '.join(widest)}.")
    return np.concatenate([[False], found])
