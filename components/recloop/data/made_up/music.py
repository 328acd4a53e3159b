"""Listeners who play the same songs again and again, mostly of the genres that they like."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.data.made_up.table import I64, table

F64 = NDArray[np.float64]
LISTENERS, SONGS, ARTISTS, GENRES, DAYS = 500, 1500, 150, 12, 120
SESSION = 8
"""songs that a listener plays on a day with music"""
ACTIVE = 0.25
"""chance of such a day"""
AGAIN = 0.6
"""chance that a song is one of the listener's own last plays"""
MEMORY = 60
"""plays that are remembered"""


def songs() -> pl.DataFrame:
    """The catalogue: songs of artists, each of one genre."""
    n = np.arange(SONGS)
    return pl.DataFrame(
        {
            Columns.Item: [f"song-{i}" for i in n],
            Columns.Title: [f"Song {i}" for i in n],
            Columns.Category: [f"GENRE {a % GENRES} > ARTIST {a}" for a in n % ARTISTS],
            Columns.Brand: [f"Artist {a}" for a in n % ARTISTS],
        }
    )


def plays(seed: int) -> pl.DataFrame:
    """Plays by time: a day's songs follow each other by minutes."""
    rng = np.random.default_rng(seed)
    chance = np.cumsum(_tastes(rng), axis=1)
    memory = np.full((LISTENERS, MEMORY), -1)
    found = []
    for day in range(DAYS):
        who = np.flatnonzero(rng.random(LISTENERS) < ACTIVE)
        hour = rng.integers(6, 22, len(who))
        for nth in range(SESSION):
            song = _next(rng, chance[who], memory[who])
            memory[who] = np.concatenate([memory[who, 1:], song[:, None]], axis=1)
            seconds = day * 86_400 + hour * 3600 + nth * 210
            found.append(np.stack([who, song, seconds]))
    return table(found, user="listener", item="song")


def _tastes(rng: np.random.Generator) -> F64:
    """Chance of each song for each listener: fame, times liking of its genre. [listeners, songs]"""
    fame = 1 / (5 + rng.permutation(SONGS))
    liking = rng.dirichlet(np.full(GENRES, 0.2), LISTENERS)[:, np.arange(SONGS) % ARTISTS % GENRES]
    chance: F64 = fame * (liking + 0.01)
    return np.asarray(chance / chance.sum(axis=1, keepdims=True))


def _next(rng: np.random.Generator, cumulated: F64, memory: I64) -> I64:
    """One song for each row: of its memory, or by its taste. [n]"""
    n = len(memory)
    own = memory[np.arange(n), rng.integers(0, MEMORY, n)]
    new = (cumulated < rng.random((n, 1))).sum(axis=1).clip(max=SONGS - 1)
    return np.where((rng.random(n) < AGAIN) & (own >= 0), own, new)
