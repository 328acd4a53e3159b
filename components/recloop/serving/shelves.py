"""Where the items of a release stand beside each other: category levels, brands and vectors as arrays."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.serving.bundle import Bundle

F32 = NDArray[np.float32]
I64 = NDArray[np.int64]
VECTORS = "item vectors"
"""name under which models give them"""


@dataclass(frozen=True)
class Shelves:
    """Codes of each item's place in the catalogue; each is made on first use, or by `fill`, and kept."""

    bundle: Bundle

    @cached_property
    def levels(self) -> I64:
        """Department, category, whole path: numbers from 1; 0 where the catalogue says nothing. [n_codes, 3]"""
        held = self.bundle.model.statistics
        path = _numbered(self.bundle.catalogue.paths)
        return np.stack([held.department, held.category, path], axis=1) * (path > 0)[:, None]

    @cached_property
    def brands(self) -> I64:
        """Numbers from 1; 0 where the catalogue says nothing. [n_codes]"""
        return _numbered(self.bundle.catalogue.brands)

    @cached_property
    def vectors(self) -> F32 | None:
        """The model's vectors of items, of length 1 or 0; None where it has none. [n_codes, dim]"""
        found = self.bundle.model.model.arrays().get(VECTORS)
        if found is None:
            return None
        norms = np.linalg.norm(found, axis=1, keepdims=True)
        unit: F32 = np.divide(found, norms, out=np.zeros_like(found), where=norms > 0).astype(np.float32)
        return unit

    def fill(self) -> None:
        """Make everything now."""
        _ = self.levels, self.brands, self.vectors

    def groups(self, by: str) -> I64:
        """Number of each item's brand, department or category (the whole path); 0 where it has none. [n_codes]"""
        return {"brand": self.brands, "department": self.levels[:, 0], "category": self.levels[:, 2]}[by]

    def likeness(self, items: NDArray[np.integer], others: NDArray[np.integer]) -> F32:
        """0 (nothing in common) to 1: mean of the share of category levels in common and the cosine of vectors.

        Levels alone where the model has no vectors. [items, others]
        """
        mine, theirs = self.levels[items][:, None], self.levels[others][None]
        shared: F32 = ((mine == theirs) & (mine > 0)).mean(axis=2, dtype=np.float32)
        if self.vectors is None:
            return shared
        # not by BLAS, whose threads stall beside the model's
        cosine = np.clip(np.einsum("id,jd->ij", self.vectors[items], self.vectors[others]), 0, 1).astype(np.float32)
        mean: F32 = np.float32(0.5) * (shared + cosine)
        return mean


def _numbered(names: tuple[str, ...]) -> I64:
    """Dense numbers in the order of the names; the empty name is 0."""
    texts = pl.Series(names, dtype=pl.String).replace("", None)
    ranks: I64 = texts.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()
    return ranks
