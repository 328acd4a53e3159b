"""The one way in which a benchmark's validation is judged, for us and for a peer; needs numpy and torch alone.

Users are told by files of codes: `items` [n, length] the newest of each history, padded in front with 0, `lengths` [n],
`targets` [n], `seen` [2, pairs] row and code of everything a user took, `known` [n_codes] items that training has events of.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

K, ROWS = 10, 512


class Validation(NamedTuple):
    """Users, what each takes next, and what may not be recommended to them."""

    items: NDArray[np.int64]
    lengths: NDArray[np.int64]
    targets: NDArray[np.int64]
    seen: NDArray[np.int64]
    known: NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """Write one .npz file."""
        np.savez(path, **self._asdict())

    @classmethod
    def load(cls, path: Path) -> "Validation":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as held:
            return cls(*(held[name] for name in cls._fields))

    def ndcg(self, states: Tensor, vectors: Tensor) -> float:
        """Mean NDCG@10 of the dot product of states [n, dim] and vectors [n_codes, dim], seen and unknown items left out."""
        hidden = torch.from_numpy(~self.known)
        gains = [self._gains(start, states, vectors, hidden) for start in range(0, len(states), ROWS)]
        return float(np.concatenate(gains).mean())

    def _gains(self, start: int, states: Tensor, vectors: Tensor, hidden: Tensor) -> NDArray[np.float64]:
        """Discounted gain of a block of users. [block]"""
        scores = states[start : start + ROWS] @ vectors.T
        scores[:, hidden] = -torch.inf
        low, high = np.searchsorted(self.seen[0], [start, start + ROWS])
        scores[self.seen[0, low:high] - start, self.seen[1, low:high]] = -torch.inf
        top = scores.topk(K).indices.numpy()
        hit = top == self.targets[start : start + ROWS, None]
        gains: NDArray[np.float64] = (hit / np.log2(np.arange(K) + 2)).sum(axis=1)
        return gains
