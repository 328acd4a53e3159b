"""Readers of a paper whose articles are old after a day: attention halves every eight hours."""

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.data.made_up.table import table

READERS, TOPICS, DAYS, ARTICLES = 800, 10, 28, 60
"""of which ARTICLES a day"""
HALF_LIFE = 8.0
"""hours in which the attention to an article halves"""
VISITS = 0.06
"""chance that a reader comes in an hour of the day"""


def articles() -> pl.DataFrame:
    """The catalogue: each article of one topic."""
    n = np.arange(DAYS * ARTICLES)
    return pl.DataFrame(
        {
            Columns.Item: [f"article-{i}" for i in n],
            Columns.Title: [f"Article {i}" for i in n],
            Columns.Category: [f"TOPIC {i % TOPICS}" for i in n],
        }
    )


def reads(seed: int) -> pl.DataFrame:
    """Reads by time: nobody reads an article twice, or before it is published."""
    rng = np.random.default_rng(seed)
    n = DAYS * ARTICLES
    published = np.sort(rng.uniform(0, DAYS * 24, n))
    quality, topic = rng.lognormal(0, 1, n), np.arange(n) % TOPICS
    taste = rng.dirichlet(np.full(TOPICS, 0.3), READERS)
    read = np.zeros((READERS, n), dtype=bool)
    found = []
    for hour in range(1, DAYS * 24):
        who = np.flatnonzero(rng.random(READERS) < VISITS * (hour % 24 >= 6))
        life = np.where(published <= hour, quality * 0.5 ** ((hour - published) / HALF_LIFE), 0.0)
        chance = np.cumsum(life * (taste[who][:, topic] + 0.02) * ~read[who], axis=1)
        article = (chance < rng.random((len(who), 1)) * chance[:, -1:]).sum(axis=1).clip(max=n - 1)
        read[who, article] = True
        found.append(np.stack([who, article, hour * 3600 + rng.integers(0, 3600, len(who))]))
    return table(found, user="reader", item="article")
