"""What stands beside the networks of ncf.py: who took what -> scores of users, without a network."""

import numpy as np

from recloop.config import AlsConfig, EaseConfig
from recloop.data.histories import Histories
from recloop.models.als import Als, als_factors
from recloop.models.ease import ease_weights


def popularity(taken, *, seed):
    """Most taken first."""
    del seed
    counts = np.asarray(taken.sum(axis=0), dtype=np.float32)
    return lambda users: np.repeat(counts, len(users), axis=0)


def item_knn(taken, *, seed, shrink=10.0, nearest=200):
    """Neighbours of a whole history by shrunk cosine."""
    del seed
    together = (taken.T @ taken).toarray()
    counts = together.diagonal().copy()
    np.fill_diagonal(together, 0)
    cosine = together / (np.sqrt(np.outer(counts, counts)) + shrink)
    cosine[cosine < np.partition(cosine, -nearest, axis=1)[:, -nearest, None]] = 0
    return lambda users: taken[users] @ cosine.T


def ease(taken, *, seed, **settings):
    """The linear autoencoder."""
    del seed
    weights = ease_weights(histories(taken), n_codes=taken.shape[1], config=EaseConfig(**settings))
    return lambda users: taken[users] @ weights


def als(taken, *, seed, **settings):
    """Alternating least squares; users are solved for from their history."""
    config, past = AlsConfig(**settings), histories(taken)
    factors = als_factors(past, n_codes=taken.shape[1], config=config, seed=seed, tell=lambda what, share: None)
    model = Als(factors, config)
    return lambda users: model.scores(past.take(users))


EXACT = ("popularity", "item_knn", "ease")
"""have nothing to draw: one seed is all"""
FLOORS = {"popularity": popularity, "item_knn": item_knn, "ease": ease, "als": als}


def histories(taken):
    """Who took what [n_users, n_codes] -> Histories without order."""
    events = taken.nnz
    return Histories(
        offsets=taken.indptr.astype(np.int64),
        items=taken.indices.astype(np.int32),
        times=np.zeros(events, dtype=np.int64),
        prices=np.zeros(events, dtype=np.float32),
        quantities=np.ones(events, dtype=np.float32),
        discounts=np.zeros(events, dtype=np.float32),
        stores=np.zeros(events, dtype=np.uint8),
        now=np.ones(taken.shape[0], dtype=np.int64),
    )
