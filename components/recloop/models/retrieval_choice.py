"""How a release finds the nearest items, chosen by trying it on the release's own vectors and users."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.data.grouped import top
from recloop.data.histories import Histories
from recloop.models.approximate import FACTS, Index
from recloop.models.encoder import Encoder
from recloop.models.retrieval import F32

RECALL = 0.99
GAIN = 1.5
"""times as fast as the exact search an index must be: it costs memory, and seconds of every release"""
SMALL = 20_000
"""items below which nothing is tried: the exact search takes microseconds"""
PROBES = (2, 4, 8, 16, 32, 64, 128)
QUERIES, BATCH, ROUNDS = 256, 16, 3


@dataclass(frozen=True)
class Choice:
    """kind `exact` or `ivf`; the rest describes the index, and what it was found to reach on `queries` users."""

    kind: str
    items: int
    dim: int
    lists: int = 0
    probes: int = 0
    recall: float = 1.0
    queries: int = 0

    def save(self, folder: Path) -> None:
        """Write retrieval.json."""
        (folder / FACTS).write_text(json.dumps(asdict(self), sort_keys=True))


@dataclass(frozen=True)
class Trial:
    """A choice, and milliseconds a query that the exact search and the best index took (None: none was tried)."""

    choice: Choice
    exact_ms: float | None = None
    index_ms: float | None = None

    def __str__(self) -> str:
        if self.exact_ms is None:
            return f"exact, {self.choice.items:,} items are too few for an index"
        found = f"exact {self.exact_ms:.3f} ms a query"
        if self.index_ms is not None:
            found += f", index {self.index_ms:.3f} ms"
        return f"{self.choice.kind} (recall {self.choice.recall:.4f}); {found}, {self.choice.items:,} items"


def choose(folder: Path, histories: Histories, *, cap: int) -> Trial:
    """Try the encoder of a model folder on some users, and write the choice into the folder.

    cap: nearest items that a question asks for. Recall is the share of the exact ones that the index finds.
    """
    encoder = Encoder.load(folder)
    items, dim = int(encoder.known.sum()), encoder.vectors.shape[1]
    exact = Choice("exact", items, dim)
    if items < SMALL:
        exact.save(folder)
        return Trial(exact)
    states = _states(encoder, histories)
    truth, exact_ms = _timed(lambda some: top(_closed(encoder, some), cap), states)
    index = Index.built(encoder.vectors, encoder.known, probes=1)
    found, index_ms = _tuned(index, states, truth, exact)
    better = found is not None and index_ms is not None and GAIN * index_ms < exact_ms
    choice = found if better and found is not None else exact
    if better:
        index.save(folder)
    choice.save(folder)
    return Trial(choice, exact_ms, index_ms)


def _tuned(index: Index, states: F32, truth: NDArray[np.int64], exact: Choice) -> tuple[Choice | None, float | None]:
    """The fewest probes that reach RECALL, and their milliseconds a query."""
    for probes in PROBES:
        index.probes = probes
        found, spent = _timed(lambda some: index.search(some, truth.shape[1]), states)
        recall = _recall(found, truth)
        if recall >= RECALL:
            choice = Choice("ivf", exact.items, exact.dim, int(index.lists.nlist), probes, recall, len(states))
            return choice, spent
    return None, None


def _states(encoder: Encoder, histories: Histories) -> F32:
    some = np.flatnonzero(histories.lengths > 0)
    return encoder.encode(histories.take(some[:: max(1, len(some) // QUERIES)][:QUERIES]))


def _closed(encoder: Encoder, states: F32) -> F32:
    scores = states @ encoder.turned
    scores[:, ~encoder.known] = -np.inf
    return scores


def _timed(search: Callable[[F32], NDArray[np.int64]], states: F32) -> tuple[NDArray[np.int64], float]:
    """What it finds for every state, and the least milliseconds a query of ROUNDS rounds in batches of BATCH."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = [search(states[n : n + BATCH]) for n in range(0, len(states), BATCH)]
        rounds.append(1000 * (time.perf_counter() - start) / max(len(states), 1))
    return np.concatenate(found), min(rounds)


def _recall(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    hits = [np.isin(a, b, assume_unique=True).sum() for a, b in zip(truth, found, strict=True)]
    return float(np.sum(hits) / truth.size)
