"""What a sequence model is watched by: NDCG@10 of what is new to a fixed sample of the users of a window."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recloop.config import SequenceConfig
from recloop.data.histories import Histories
from recloop.data.truth import Truth
from recloop.models.context import context_of
from recloop.models.sequence_fit import seen_of
from recloop.models.sequence_net import LastState, SequenceNet
from recloop.models.sequences import Sequences
from recloop.models.tails import Tails, fed, tails
from recloop.models.task import Task, past_of
from recloop.models.watch import Watch

K = 10
CELLS = 1 << 23
"""scores held at once"""
DISCOUNT = 1 / np.log2(np.arange(K) + 2)


@dataclass(frozen=True)
class Watched:
    """NDCG@10 on the watched users, seen items left out."""

    past: Histories
    truth: Truth
    config: SequenceConfig
    wrap: type[LastState]
    every: int
    n_codes: int

    @property
    def patience(self) -> int:
        """Looks without a better score."""
        return self.config.patience

    @cached_property
    def _wanted(self) -> NDArray[np.int64]:
        """Sorted row * n_codes + item of what the users took."""
        return np.sort(self.truth.rows * self.n_codes + self.truth.items)

    @cached_property
    def _ideal(self) -> NDArray[np.float64]:
        """The greatest DCG of each user. [n]"""
        most = np.minimum(np.diff(self.truth.offsets), K)
        return np.concatenate([[0.0], np.cumsum(DISCOUNT)])[most]

    @cached_property
    def _asked(self) -> list[tuple[Tails, dict[str, NDArray[np.int64]]]]:
        """Blocks of users, and what the model is asked of them by."""
        seen = seen_of(self.past, self.config)
        context, rows = context_of(seen, self.config.context), max(1, CELLS // self.n_codes)
        blocks = tails(seen, length=self.config.length - self.wrap.room, block=min(rows, 512))
        return [(part, fed(part, context)) for part in blocks]

    def score(self, net: nn.Module) -> float:
        """Mean NDCG@10; users without a history count as zero."""
        wrapped = self.wrap(cast(SequenceNet, net)).eval()
        vectors = wrapped.net.items.vectors().detach()
        gain = np.zeros(len(self.truth))
        with torch.no_grad():
            for part, asked in self._asked:
                given = [torch.from_numpy(asked[name]).to(vectors.device) for name in wrapped.inputs]
                scores = wrapped(*given) @ vectors.T  # [block, n_codes]
                gain[part.rows] = self._gain(scores, part)
        return float(np.mean(gain / self._ideal))

    def _gain(self, scores: Tensor, part: Tails) -> NDArray[np.float64]:
        """DCG of each row of a block. scores [block, n_codes] is changed in place."""
        seen = self.past.take(part.rows)
        scores[torch.from_numpy(seen.rows), torch.from_numpy(seen.items.astype(np.int64))] = -torch.inf
        scores[:, 0] = -torch.inf
        top = scores.topk(min(K, self.n_codes)).indices.cpu().numpy()
        hit = np.isin(part.rows[:, None] * self.n_codes + top, self._wanted)
        gain: NDArray[np.float64] = hit @ DISCOUNT[: top.shape[1]]
        return gain


def watched(task: Task, config: SequenceConfig, sequences: Sequences, wrap: type[LastState]) -> Watch | None:
    """The watch of a task; None where there is nothing new to anybody to look at, or the settings have no patience."""
    if task.watch is None or not config.patience:
        return None
    truth = task.dataset.truth(task.watch).fresh()
    if not len(truth):
        return None
    kept = np.sort(np.random.default_rng(task.seed).permutation(len(truth))[: config.watched_users])
    truth = truth.take(kept)
    every = max(1, int(sequences.edges[1])) * config.watch_epochs
    return Watched(past_of(task.dataset, task.watch, truth.users), truth, config, wrap, every, task.n_codes)
