"""People who follow each other: mostly whom their friends follow, else somebody of their circle, else anybody."""

import numpy as np
import polars as pl

from recloop.columns import Columns
from recloop.data.made_up.table import I64, table

PEOPLE, CIRCLES, DAYS = 1000, 25, 60
FOLLOWS = 0.6
"""chance that a person follows somebody on a day"""
BY_FRIENDS, IN_CIRCLE = 0.6, 0.9
"""cumulated chances of a friend's friend and of the circle; the rest is anybody"""


def people() -> pl.DataFrame:
    """The catalogue: the same ids as those who follow."""
    ids = [f"person-{n}" for n in range(PEOPLE)]
    circle = [f"CIRCLE {n % CIRCLES}" for n in range(PEOPLE)]
    return pl.DataFrame({Columns.Item: ids, Columns.Title: ids, Columns.Category: circle})


def follows(seed: int) -> pl.DataFrame:
    """Follows by time: each pair once, nobody follows themselves."""
    rng = np.random.default_rng(seed)
    known = np.eye(PEOPLE, dtype=bool)
    friends = np.full((PEOPLE, DAYS), -1)
    count = np.zeros(PEOPLE, dtype=np.int64)
    found = []
    for day in range(DAYS):
        who = np.flatnonzero(rng.random(PEOPLE) < FOLLOWS)
        whom = _choices(rng, who, friends, count)
        new = ~known[who, whom]
        who, whom = who[new], whom[new]
        known[who, whom] = True
        friends[who, count[who]] = whom
        count[who] += 1
        found.append(np.stack([who, whom, day * 86_400 + rng.integers(0, 86_400, len(who))]))
    return table(found, user="person", item="person")


def _choices(rng: np.random.Generator, who: I64, friends: I64, count: I64) -> I64:
    """Whom each wants to follow. [n]"""
    n, kind = len(who), rng.random(len(who))
    circle = who % CIRCLES + CIRCLES * rng.integers(0, PEOPLE // CIRCLES, n)
    found = np.where(kind < IN_CIRCLE, circle, rng.integers(0, PEOPLE, n))
    friend = _one_of(rng, friends, count, who)
    second = np.where(friend >= 0, _one_of(rng, friends, count, friend), -1)
    return np.where((kind < BY_FRIENDS) & (second >= 0), second, found)


def _one_of(rng: np.random.Generator, friends: I64, count: I64, whose: I64) -> I64:
    """A friend of each, -1 where they have none. [n]"""
    at = (rng.random(len(whose)) * count[whose]).astype(np.int64)
    return np.where(count[whose] > 0, friends[whose, at], -1)
