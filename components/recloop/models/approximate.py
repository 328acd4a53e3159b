"""Which items lie nearest to a state, by looking at a part of them: faiss's inverted file (Johnson et al. 2017)."""

import json
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from recloop.data.habits import Habits
from recloop.models.retrieval import F32, I64, Exact

FACTS, FILE = "retrieval.json", "retrieval.faiss"
NARROW = 0.1
"""share of allowed items below which all of them are looked at: a part of so few would miss some"""
ITERATIONS = 10
"""of k-means"""


class Index:
    """Item vectors in lists by their nearest centre; a question looks at the `probes` lists nearest to it."""

    def __init__(self, lists: faiss.IndexIVFFlat, vectors: F32, known: NDArray[np.bool_], probes: int) -> None:
        self.lists, self.vectors, self.known, self.probes = lists, vectors, known, probes

    @classmethod
    def built(cls, vectors: F32, known: NDArray[np.bool_], *, probes: int) -> "Index":
        """Index of the known items' vectors; the same bytes for the same vectors."""
        codes = np.flatnonzero(known)
        lists = faiss.index_factory(
            vectors.shape[1], f"IVF{2 * int(np.sqrt(len(codes)))},Flat", faiss.METRIC_INNER_PRODUCT
        )
        lists.cp.niter = ITERATIONS
        lists.train(vectors[codes])
        lists.add_with_ids(vectors[codes], codes.astype(np.int64))
        return cls(lists, vectors, known, probes)

    @classmethod
    def chosen(cls, folder: Path, vectors: F32, known: NDArray[np.bool_]) -> "Index | None":
        """The index that a release chose for the model in this folder; None where it chose the exact search."""
        facts = folder / FACTS
        if not facts.exists() or (said := json.loads(facts.read_text()))["kind"] == "exact":
            return None
        return cls(faiss.read_index(str(folder / FILE)), vectors, known, said["probes"])

    def save(self, folder: Path) -> None:
        """Write the lists."""
        faiss.write_index(self.lists, str(folder / FILE))

    def search(self, states: F32, k: int, allowed: NDArray[np.bool_] | None = None) -> I64:
        """Codes of the k nearest known items of each state, best first, -1 where there are fewer. [n, k]"""
        # OpenMP keeps the number for the thread that asks; two of them would wait for each other beside the server's loop
        faiss.omp_set_num_threads(1)
        bits = None if allowed is None else np.packbits(allowed, bitorder="little")
        chosen = None if bits is None else faiss.IDSelectorBitmap(bits)
        wanted = faiss.SearchParametersIVF(nprobe=self.probes, sel=chosen)
        found: I64 = self.lists.search(np.ascontiguousarray(states), k, params=wanted)[1]
        return found

    def logits(self, states: F32) -> "Approximate":
        """States [n, dim] -> what lies near to them."""
        return Approximate(self, states)


class Approximate:
    """Logits of the nearest items that an index finds."""

    def __init__(self, index: Index, states: F32) -> None:
        self.index, self.states = index, states

    def propose(self, cap: int, *, seen: Habits, allowed: NDArray[np.bool_]) -> I64:
        """As Logits says, but that it may miss some."""
        known = self.index.known
        if np.count_nonzero(allowed) < NARROW * len(allowed):
            return Exact(self.states @ self.index.vectors.T).propose(cap, seen=seen, allowed=allowed)
        # whatever of them a row has seen is left out afterwards
        deep = cap + int(np.bincount(seen.rows).max(initial=0))
        # the index holds the known items only
        found = self.index.search(self.states, deep, None if (allowed | ~known).all() else allowed)
        row, place = np.nonzero(found >= 0)
        keys = row * len(known) + found[row, place]
        free = np.flatnonzero(~seen.pairs.find(keys)[1])
        row, keys = row[free], keys[free]
        kept: I64 = keys[np.arange(len(row)) - np.searchsorted(row, row) < cap]
        return kept

    def at(self, rows: I64, items: I64) -> F32:
        """As Logits says."""
        found: F32 = np.einsum("pd,pd->p", self.states[rows], self.index.vectors[items])
        return found
