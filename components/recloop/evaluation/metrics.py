"""Ranking metrics as one value a user, and metrics of a whole catalogue; vectorised over users.

Relevance is binary. Items outside the vocabulary (code 0) cannot be hit and stay in every denominator.
"""

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
PERFECT = 0.95
PER_USER = ("ndcg", "recall", "precision", "mrr", "hit_rate", "map", "spend_share", "perfect")


def hits(items: NDArray[np.int32], rows: NDArray[np.int64], taken: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Ranked items [n, k] and taken (row, item) pairs -> which ranked items were taken; item 0 never is. [n, k]"""
    width = np.int64(max(items.max(initial=0), taken.max(initial=0))) + 1
    wanted = np.sort(rows[taken > 0] * width + taken[taken > 0])
    keys = np.arange(len(items))[:, None] * width + items
    if not len(wanted):
        return np.zeros(items.shape, dtype=bool)
    at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    hit: NDArray[np.bool_] = wanted[at] == keys
    return hit


def per_user(items: NDArray[np.int32], rows: NDArray[np.int64], taken: NDArray[np.int32], spend: F64) -> dict[str, F64]:
    """Every metric of PER_USER at k = columns of `items`; nan for rows that took nothing. [n] each

    NDCG@k: gain 1 / log2(rank + 1), ideal over min(k, relevant) (Jarvelin and Kekalainen 2002). MAP@k divides by min(k,
    relevant). MRR is 0 without a hit in the first k. spend_share: money paid for hit items over all money paid. perfect: 1
    where NDCG reaches PERFECT.
    """
    n, k = items.shape
    hit = hits(items, rows, taken)
    relevant = np.bincount(rows, minlength=n).astype(float)
    discount = 1 / np.log2(np.arange(k) + 2)
    ideal = np.concatenate([[np.nan], np.cumsum(discount)])[np.minimum(relevant, k).astype(int)]
    found = hit.sum(axis=1)
    precision = np.cumsum(hit, axis=1) / np.arange(1, k + 1)
    first = np.where(hit.any(axis=1), 1 / (hit.argmax(axis=1) + 1), 0)
    empty = np.where(relevant > 0, 0.0, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        ndcg = (hit * discount).sum(axis=1) / ideal
        return {
            "ndcg": ndcg,
            "recall": found / relevant,
            "precision": found / k + empty,
            "mrr": first + empty,
            "hit_rate": (found > 0) + empty,
            "map": (precision * hit).sum(axis=1) / np.minimum(relevant, k),
            "spend_share": _spend_share(items, rows, taken, spend) + empty,
            "perfect": (ndcg >= PERFECT) + empty,
        }


def _spend_share(items: NDArray[np.int32], rows: NDArray[np.int64], taken: NDArray[np.int32], spend: F64) -> F64:
    """Share of each row's spend that its ranked items cover; 0 where it spent nothing. [n]"""
    n = len(items)
    width = np.int64(max(items.max(initial=0), taken.max(initial=0))) + 1
    shown = np.unique(np.arange(n)[:, None] * width + items)
    covered = np.isin(rows * width + taken, shown) & (taken > 0)
    total = np.bincount(rows, weights=spend, minlength=n)
    return np.bincount(rows, weights=spend * covered, minlength=n) / np.where(total > 0, total, 1)


def of_catalogue(items: NDArray[np.int32], popularity: NDArray[np.float32]) -> dict[str, float]:
    """Ranked items [n, k], events of each code before the test [n_codes] -> coverage, gini, novelty.

    coverage: share of the vocabulary that is recommended to anybody. gini: of the recommendations over the vocabulary
    (0 even, 1 one item). novelty: mean of -log2(share of all events), in bits (Vargas and Castells 2011).
    """
    shown = np.bincount(items[items > 0], minlength=len(popularity))[1:]
    share = (popularity + 1) / (popularity[1:] + 1).sum()
    return {
        "coverage": float((shown > 0).mean()),
        "gini": gini(shown.astype(float)),
        "novelty": float(-np.log2(share[items[items > 0]]).mean()) if (items > 0).any() else 0.0,
    }


def gini(counts: F64) -> float:
    """Gini coefficient of non-negative counts; 0 where all are equal or none is positive."""
    ordered = np.sort(counts)
    n, total = len(ordered), ordered.sum()
    if total == 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))
