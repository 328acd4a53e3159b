"""What users with the same attributes take: popularity shifted by each attribute, for a user without an event."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy import sparse

from recloop import tensors
from recloop.columns import Columns
from recloop.data.histories import Histories
from recloop.data.vocabulary import Vocabulary
from recloop.models.ranked import Ranked, best, joined, permitted

ARRAYS, IDS = "alike.safetensors", "alike.json"
PRIOR = 10.0
"""buyers, as many as popularity expects, that are added to each count"""
F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
ROWS = 256


@dataclass(frozen=True)
class Alike:
    """ids: of the users whose attributes are known, sorted. values: a row a user, a column an attribute, 0 where unknown.

    lifts: value code -> log of its users' buyers of each item over what popularity expects; row 0 is 0.
    """

    ids: tuple[str, ...]
    values: I32  # [users, attributes]
    lifts: F32  # [n_values + 1, n_codes]
    popular: F32  # [n_codes] log(1 + purchases in the last 28 days)

    @classmethod
    def fit(
        cls, attributes: pl.DataFrame, past: Histories, users: Vocabulary, popular: F32, *, without: Sequence[int] = ()
    ) -> "Alike":
        """Attributes, histories of all users (row = code - 1) -> Alike; `without`: codes of users who teach nothing."""
        ids = attributes[Columns.User]
        values, count = _coded(attributes.drop(Columns.User))
        code = users.encode(ids).to_numpy()
        code = np.where(np.isin(code, np.asarray(without, dtype=code.dtype)), 0, code)
        return cls(tuple(ids), values, _lifts(values, count, code, past, len(popular)), np.log1p(popular))

    def of(self, users: Sequence[str | None]) -> "AlikeUsers":
        """The recommender of given users, a row each; of one without attributes it is popularity."""
        rows = [self.places.get(user or "", -1) for user in users]
        none = np.zeros((1, self.values.shape[1]), dtype=np.int32)
        return AlikeUsers(self, np.concatenate([self.values, none])[rows])

    @cached_property
    def places(self) -> dict[str, int]:
        """Row of each user."""
        return {name: row for row, name in enumerate(self.ids)}

    def save(self, folder: Path) -> None:
        """Write alike.safetensors and alike.json."""
        tensors.save({"values": self.values, "lifts": self.lifts, "popular": self.popular}, folder / ARRAYS)
        (folder / IDS).write_text(json.dumps(self.ids))

    @classmethod
    def load(cls, folder: Path) -> "Alike | None":
        """Read what `save` wrote; None where a model knows no attributes."""
        if not (folder / ARRAYS).exists():
            return None
        return cls(tuple(json.loads((folder / IDS).read_text())), **load_file(folder / ARRAYS))


class AlikeUsers:
    """Ranks for users whose attributes are `values`, a row each, whatever their histories."""

    def __init__(self, model: Alike, values: I32) -> None:
        self.model, self.values = model, values

    def recommend(
        self,
        histories: Histories,
        *,
        k: int,
        exclude_seen: bool = False,
        allowed: NDArray[np.bool_] | None = None,
        exclude: NDArray[np.int32] | None = None,
    ) -> Ranked:
        """Histories of these users, in their order -> the k best items of each row."""
        mask = permitted(len(self.model.popular), allowed, exclude)
        parts = [
            best(self._scores(start), histories.part(start, start + ROWS), k=k, exclude_seen=exclude_seen, mask=mask)
            for start in range(0, len(histories), ROWS)
        ]
        return joined(parts, k)

    def _scores(self, start: int) -> F32:
        """Popularity plus the mean lift of the attributes that are known, of ROWS users. [n, n_codes]"""
        values = self.values[start : start + ROWS]
        known = np.maximum((values > 0).sum(axis=1, keepdims=True), 1)
        lifted: F32 = (self.model.lifts[values].sum(axis=1) / known).astype(np.float32)
        return self.model.popular + lifted


def _coded(words: pl.DataFrame) -> tuple[I32, int]:
    """Words -> codes that no two attributes share, 0 where null, and how many there are."""
    columns, count = [], 0
    for name in words.columns:
        found = words[name].drop_nulls().unique().sort()
        code = words[name].replace_strict(found, np.arange(len(found)) + count + 1, default=0, return_dtype=pl.Int32)
        columns.append(code.to_numpy())
        count += len(found)
    return np.stack(columns, axis=1).astype(np.int32), count


def _lifts(values: I32, count: int, code: I32, past: Histories, n_codes: int) -> F32:
    """Distinct buyers of each item among the users of each value against their share of all. [count + 1, n_codes]"""
    taught = np.flatnonzero(code > 0)
    bought = sparse.csr_matrix(
        (np.ones(len(past.items), dtype=np.float32), past.items, past.offsets), shape=(len(past), n_codes), copy=True
    )
    bought.sum_duplicates()
    bought.data[:] = 1
    rows = bought[code[taught] - 1]
    shape = (count + 1, len(taught))
    width = values.shape[1]
    of = sparse.csr_matrix(
        (
            np.ones(values[taught].size, dtype=np.float32),
            (values[taught].ravel(), np.repeat(np.arange(len(taught)), width)),
        ),
        shape=shape,
    )
    buyers, share = (of @ rows).toarray(), np.asarray(of.sum(axis=1)) / max(len(taught), 1)
    expected = share * np.asarray(rows.sum(axis=0))
    lifts: F32 = np.log((buyers + PRIOR) / (expected + PRIOR)).astype(np.float32)
    lifts[0] = 0
    return lifts
