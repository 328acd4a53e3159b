"""What all sequence models have: what is known of each event as a vector, blocks above it, and the state that is exported."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recloop.config import ContextName, SequenceConfig
from recloop.models.blocks import Dropout
from recloop.models.context import FEATURES
from recloop.models.item_tables import FusedItems, Items, SparseItems


class SequenceNet(nn.Module):
    """Items, places and context -> states; a kind of model says what its blocks do.

    content: vectors of what items are [n_codes, width], fused with their ids; None where ids are all there is.
    """

    timed = False
    """whether the blocks look at the times of events"""
    gaps = False
    """whether the item 0 is a gap to be filled, with a vector of its own"""

    def __init__(
        self,
        n_codes: int,
        config: SequenceConfig,
        block: Callable[[Dropout], nn.Module],
        content: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self.n_codes = n_codes
        self.dropout = Dropout(config.dropout, fast=config.fast)
        self.items = _table(n_codes, config, content)
        self.positions = nn.Embedding(config.length, config.dim)
        self.gap = nn.Parameter(torch.randn(config.dim) * 0.05) if self.gaps else None
        self.blocks = nn.ModuleList(block(self.dropout) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.dim)
        if isinstance(self.items, Items):
            nn.init.normal_(self.items.weight, std=0.05)
        nn.init.normal_(self.positions.weight, std=0.05)
        self.context = Context(config.context, config.dim) if config.context else None

    def embedded(self, items: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Codes [batch, length], context [batch, length, features] -> states [batch, length, dim], places [length]."""
        place = torch.arange(items.shape[1], device=items.device)
        return self.dropout(self.taken(items) + self.around(context) + self.positions(place)), place

    def taken(self, items: Tensor) -> Tensor:
        """Vectors of what was taken, and of gaps. [batch, length, dim]"""
        found: Tensor = self.items(items)
        return found if self.gap is None else torch.where((items == 0)[:, :, None], self.gap, found)

    def around(self, context: Tensor | None) -> Tensor | float:
        """Vectors of what was around each event. [batch, length, dim], or nothing"""
        return 0.0 if self.context is None else self.context(context)


class Context(nn.Module):
    """A vector for every code of every kind of context; an event gets the sum of its own."""

    first: Tensor  # [features] row of each kind's code 0

    def __init__(self, names: tuple[ContextName, ...], dim: int) -> None:
        super().__init__()
        sizes = [FEATURES[name].size for name in names]
        self.register_buffer("first", torch.tensor([0, *sizes[:-1]]).cumsum(0), persistent=False)
        self.vectors = nn.Embedding(sum(sizes), dim)
        nn.init.normal_(self.vectors.weight, std=0.02)

    def forward(self, context: Tensor) -> Tensor:
        """Codes [batch, length, features] -> [batch, length, dim]."""
        out: Tensor = self.vectors(context + self.first).sum(2)
        return out


class LastState(nn.Module):
    """What is exported: items, lengths, and what else the net asks for -> the state after the last item."""

    room = 0
    """places that it adds to a sequence"""

    def __init__(self, net: SequenceNet) -> None:
        super().__init__()
        self.net = net
        self.inputs = ("items", "lengths", *("times",) * net.timed, *("context",) * (net.context is not None))

    def forward(self, items: Tensor, lengths: Tensor, *more: Tensor) -> Tensor:
        """Codes [batch, length], lengths [batch] >= 1, `more` as `inputs` names it -> [batch, dim]."""
        named = dict(zip(self.inputs[2:], more, strict=True))
        return last_of(self.net(items, lengths=lengths, **named), lengths)


def last_of(states: Tensor, lengths: Tensor) -> Tensor:
    """States [batch, length, dim] -> those at the last places [batch, dim]."""
    last = (lengths - 1).view(-1, 1, 1).expand(-1, 1, states.shape[2])
    return states.gather(1, last).squeeze(1)


def _table(n_codes: int, config: SequenceConfig, content: NDArray[np.float32] | None) -> Items | FusedItems:
    if content is None:
        return SparseItems(n_codes, config.dim) if config.sparse else Items(n_codes, config.dim)
    return FusedItems(
        torch.from_numpy(content), config.dim, ids=config.ids, without=config.id_dropout, least=config.id_events
    )
