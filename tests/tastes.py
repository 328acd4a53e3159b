"""Ratings of two opposed tastes."""

import numpy as np

from recloop.models.rating import Ratings, Sides

SHAPE = (30, 25)
NO = Sides(np.zeros((30, 0), np.float32), np.zeros((25, 0), np.float32))


def tastes(seed=0, noise=0.1):
    """Every pair of user and item, one a minute: about half of them to learn and the others to foretell."""
    rng = np.random.default_rng(seed)
    users, items = (grid.ravel() for grid in np.meshgrid(np.arange(30), np.arange(25), indexing="ij"))
    values = 3 + np.where(users % 2 == items % 2, 1.0, -1.0) + 0.3 * (users % 3 == 0) + rng.normal(0, noise, len(users))
    some = rng.random(len(users)) < 0.5
    every = Ratings(users, items, values, np.arange(len(users)) * 60)
    return every.take(some), every.take(~some)


def rmse(model, ratings):
    """Error of a model on ratings."""
    missed = model.predict(ratings.users, ratings.items, ratings.times) - ratings.values
    return float(np.sqrt(np.mean(missed**2)))
