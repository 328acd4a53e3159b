"""First vectors of items, from which items occur near to each other: a factorised table of positive mutual information."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from recloop.data.histories import Histories

WINDOW = 5
"""events between two items that still count, each 1 / distance"""
F32 = NDArray[np.float32]


def item_vectors(histories: Histories, *, n_codes: int, dim: int, scale: float) -> F32:
    """Histories -> vectors whose products follow the items' mutual information (Levy and Goldberg 2014).

    [n_codes, dim], of a root mean square of `scale` over items that occur near others, zero for the others. Deterministic.
    """
    table = _information(_counts(histories, n_codes))
    if not table.nnz:
        return np.zeros((n_codes, dim), dtype=np.float32)
    most = min(dim, n_codes - 1)
    left, strength, _ = randomized_svd(table, n_components=most, n_iter=6, random_state=0)
    found = left * np.sqrt(strength)
    near = np.diff(table.indptr) > 0
    found[~near] = 0.0  # but for roundings they are
    found *= scale / np.sqrt(np.mean(found[near] ** 2))
    padded: F32 = np.pad(found, ((0, 0), (0, dim - most))).astype(np.float32)
    return padded


def _counts(histories: Histories, n_codes: int) -> sparse.csr_matrix:
    """How often each pair of items lies near each other, both ways. [n_codes, n_codes]"""
    rows, items = histories.rows, histories.items
    total = sparse.csr_matrix((n_codes, n_codes), dtype=np.float64)
    for apart in range(1, WINDOW + 1):
        same = rows[apart:] == rows[:-apart]
        pair = (items[:-apart][same], items[apart:][same])
        total += sparse.csr_matrix((np.full(len(pair[0]), 1 / apart), pair), shape=(n_codes, n_codes))
    return total + total.T


def _information(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Positive pointwise mutual information; contexts smoothed by the power 0.75."""
    own = np.asarray(counts.sum(1)).ravel()
    near = own**0.75 / max((own**0.75).sum(), 1e-12)
    table = counts.tocoo()
    value = np.log(table.data / (own[table.row] * near[table.col]))
    kept = value > 0
    return sparse.csr_matrix((value[kept], (table.row[kept], table.col[kept])), shape=counts.shape)
