"""How the deep ranker learns: whole lists of a user, each pair right in itself and in its list."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F


class Rows(NamedTuple):
    """One step's lists on one device."""

    step: int
    features: Tensor  # [rows, n_features]
    labels: Tensor  # [rows]
    weights: Tensor  # [rows] in the binary cross-entropy
    unseen: Tensor  # [rows] the user never took the item before
    of: Tensor  # [rows] list of each row
    own: int  # lists on this device
    pairs: int  # in the whole step, over all devices
    lists: int  # in the whole step, over all devices


@dataclass
class RankerPlan:
    """Binary cross-entropy of pairs and softmax of lists, over shuffled lists of about `batch` pairs a step.

    The pairs of list n are rows edges[n]:edges[n + 1]. `list_weight` of the softmax: at 0 pairs stand alone.
    """

    features: Tensor
    labels: Tensor
    weights: Tensor
    unseen: Tensor
    edges: NDArray[np.int64]  # [lists + 1]
    batch: int
    epochs: int
    lr: float
    seed: int
    list_weight: float

    @property
    def per_step(self) -> int:
        """Lists a step."""
        lists = len(self.edges) - 1
        return max(1, min(lists, round(self.batch * lists / max(1, len(self.labels)))))

    @property
    def per_epoch(self) -> int:
        """Steps an epoch; what is left over waits for the next."""
        return max(1, (len(self.edges) - 1) // self.per_step)

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.epochs * self.per_epoch

    def batches(self, start: int, *, rank: int, world: int) -> Iterator[Rows]:
        """Steps from one on; device `rank` of `world` gets every world-th list."""
        for epoch in range(start // self.per_epoch, self.epochs):
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.edges) - 1)
            for n in range(max(0, start - epoch * self.per_epoch), self.per_epoch):
                lists = order[n * self.per_step : (n + 1) * self.per_step]
                yield self._rows(lists, lists[rank::world], epoch * self.per_epoch + n)

    def _rows(self, lists: NDArray[np.int64], mine: NDArray[np.int64], step: int) -> Rows:
        low, sizes = self.edges[mine], self.edges[mine + 1] - self.edges[mine]
        of = np.repeat(np.arange(len(mine)), sizes)
        at = torch.from_numpy(np.arange(sizes.sum()) + np.repeat(low - np.cumsum(sizes) + sizes, sizes))
        pairs = int((self.edges[lists + 1] - self.edges[lists]).sum())
        return Rows(
            step,
            self.features[at],
            self.labels[at],
            self.weights[at],
            self.unseen[at],
            torch.from_numpy(of),
            own=len(mine),
            pairs=pairs,
            lists=len(lists),
        )

    def loss(self, net: nn.Module, batch: Rows, world: int) -> Tensor:
        """Means over the step's pairs and lists, whichever device holds them, and over the network's members."""
        costs = [self._cost(logits, batch, world) for logits in net.each(batch.features)]  # type: ignore[operator]
        return torch.stack(costs).mean()

    def _cost(self, logits: Tensor, batch: Rows, world: int) -> Tensor:
        total = F.binary_cross_entropy_with_logits(logits, batch.labels, weight=batch.weights, reduction="sum")
        cost: Tensor = total * world / batch.pairs
        if not self.list_weight:
            return cost
        every, new = _softmax(logits, batch, None), _softmax(logits, batch, batch.unseen)
        return cost + self.list_weight * (every + new) * world / batch.lists


def _softmax(logits: Tensor, batch: Rows, kept: Tensor | None) -> Tensor:
    """Sum over lists of the mean over their taken items of -log softmax (Cao et al. 2007, ListNet's top one).

    kept: rows that a list is made of; all where it is None. A list without a taken item costs nothing.
    """
    labels = batch.labels if kept is None else batch.labels * kept
    values = logits if kept is None else logits.masked_fill(~kept, -1e9)
    most = torch.full((batch.own,), -1e9, device=logits.device).scatter_reduce(0, batch.of, values.detach(), "amax")
    total = torch.zeros_like(most).index_add(0, batch.of, (values - most[batch.of]).exp())
    taken = torch.zeros_like(most).index_add(0, batch.of, labels).clamp_min(1)
    cost = (most + total.clamp_min(1e-30).log())[batch.of] - values
    return (cost * labels / taken[batch.of]).sum()
