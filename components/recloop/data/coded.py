"""Text as small whole numbers, once: what follows then touches 4 bytes a row and each distinct text once."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Coded:
    """A text column as places in its distinct texts. The order of the texts is any: nothing may depend on it."""

    places: NDArray[np.uint32]  # [rows] place in `words`; len(words) where null
    words: pl.Series  # [distinct] text, no null

    @classmethod
    def of(cls, column: pl.Series) -> "Coded":
        """Text column -> Coded, by one hash table."""
        # categories of its own: the shared ones would keep every text for as long as the process lives
        coded = column.cast(pl.Categorical(pl.Categories.random()))
        distinct = coded.unique().drop_nulls()
        found, own = coded.to_physical(), distinct.to_physical().to_numpy()
        size = len(distinct)
        order = np.argsort(own)
        places = found.fill_null(size).to_numpy().astype(np.uint32, copy=False)
        return cls(places, distinct.cast(pl.String)[order])

    def counts(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """How many of the chosen rows hold each word. [distinct]"""
        return np.bincount(self.places[rows], minlength=len(self.words) + 1)[:-1]

    def under(self, known: Vocabulary) -> NDArray[np.int32]:
        """Codes of a vocabulary: 0 where it lacks the text, or there is none. [rows]"""
        codes = known.encode(self.words).to_numpy()
        return np.append(codes, np.int32(0))[self.places]
