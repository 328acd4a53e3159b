"""What a list is like beyond its hits: one value a user, vectorised; nan where it cannot be said.

Categories are codes; 0 is none. Item 0 of a list is an empty place.
"""

import numpy as np
from numpy.typing import NDArray

from recloop.data.histories import Histories

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
SMOOTHING = 0.01
"""weight of the user's own distribution that is mixed into the list's, so that the divergence is finite (Steck 2018)"""
PER_LIST = ("diversity", "serendipity", "popularity", "popularity_lift", "miscalibration")


def per_list(
    items: I32, hit: NDArray[np.bool_], histories: Histories, *, categories: I32, popularity: NDArray[np.float32]
) -> dict[str, F64]:
    """Lists and hits [n, k], their histories, category and popularity of each code [n_codes] -> PER_LIST. [n] each."""
    return {
        "diversity": diversity(items, categories),
        "serendipity": serendipity(items, hit, popularity),
        "popularity": mean_popularity(items, popularity),
        "popularity_lift": popularity_lift(items, histories, popularity),
        "miscalibration": miscalibration(items, histories, categories),
    }


def diversity(items: I32, categories: I32) -> F64:
    """Share of the pairs of a list that are of two categories: intra-list distance 0 or 1 (Ziegler et al. 2005). [n]"""
    rows, kinds = _kinds(items, categories)
    of = np.bincount(rows, minlength=len(items)).astype(np.float64)
    keys, counts = np.unique(rows * (int(categories.max(initial=0)) + 1) + kinds, return_counts=True)
    owner = keys // (int(categories.max(initial=0)) + 1)
    alike = np.bincount(owner, weights=counts * (counts - 1.0), minlength=len(items)).astype(np.float64)
    return 1 - _ratio(alike, of * (of - 1))


def serendipity(items: I32, hit: NDArray[np.bool_], popularity: NDArray[np.float32]) -> F64:
    """Share of a list's places that are hits which the k most popular items would not have been (Ge et al. 2010). [n]"""
    k = items.shape[1]
    usual = np.zeros(len(popularity), dtype=bool)
    usual[1 + np.argsort(-popularity[1:], kind="stable")[:k]] = True
    found: F64 = (hit & ~usual[items]).sum(axis=1) / k
    return found


def mean_popularity(items: I32, popularity: NDArray[np.float32]) -> F64:
    """Mean share of all events that the shown items have (average recommendation popularity, Yin et al. 2012). [n]"""
    share = popularity.astype(np.float64) / max(float(popularity[1:].sum(dtype=np.float64)), 1.0)
    return _ratio((share[items] * (items > 0)).sum(axis=1), (items > 0).sum(axis=1).astype(np.float64))


def popularity_lift(items: I32, histories: Histories, popularity: NDArray[np.float32]) -> F64:
    """Mean popularity of the list over that of the user's own history, minus 1; 0 is no bias (Abdollahpouri et al. 2019). [n]"""
    total = np.bincount(histories.rows, weights=popularity[histories.items], minlength=len(items)).astype(np.float64)
    own = _ratio(total, histories.lengths.astype(np.float64))
    shown = _ratio(
        (popularity[items].astype(np.float64) * (items > 0)).sum(axis=1), (items > 0).sum(axis=1).astype(float)
    )
    return _ratio(shown, own) - 1


def miscalibration(items: I32, histories: Histories, categories: I32) -> F64:
    """KL divergence of the list's categories from the user's own, in nats; 0 is calibrated (Steck 2018, equations 5 and 6). [n]

    sum over c of p(c) log(p(c) / q'(c)), q' = (1 - SMOOTHING) q + SMOOTHING p, p of the history, q of the list, each event
    and each place of equal weight.
    """
    n, width = len(items), int(categories.max(initial=0)) + 1
    kinds = categories[histories.items].astype(np.int64)
    known = kinds > 0
    own = _shares(histories.rows[known] * width + kinds[known], n, width)
    rows, shown = _kinds(items, categories)
    listed = _shares(rows * width + shown, n, width)
    at = np.minimum(np.searchsorted(listed[0], own[0]), max(len(listed[0]) - 1, 0))
    q = np.where(listed[0][at] == own[0], listed[1][at], 0.0) if len(listed[0]) else np.zeros(len(own[0]))
    terms = own[1] * np.log(own[1] / ((1 - SMOOTHING) * q + SMOOTHING * own[1]))
    total = np.bincount(own[0] // width, weights=terms, minlength=n)
    has = (np.bincount(own[0] // width, minlength=n) > 0) & (np.bincount(rows, minlength=n) > 0)
    return np.where(has, total, np.nan)


def _kinds(items: I32, categories: I32) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and category of the shown items that have one."""
    kinds = categories[items].astype(np.int64) * (items > 0)
    rows = np.broadcast_to(np.arange(len(items))[:, None], items.shape)
    return rows[kinds > 0], kinds[kinds > 0]


def _shares(keys: NDArray[np.int64], n: int, width: int) -> tuple[NDArray[np.int64], F64]:
    """Keys row * width + category -> distinct keys, sorted, and each one's share of its row."""
    found, counts = np.unique(keys, return_counts=True)
    totals = np.bincount(found // width, weights=counts, minlength=n)
    return found, counts / totals[found // width]


def _ratio(above: F64, below: F64) -> F64:
    """above / below, nan where below is 0."""
    found: F64 = np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)
    return found
