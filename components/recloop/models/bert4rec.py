"""BERT4Rec: a transformer that sees both sides of a gap and fills it (Sun et al. 2019), pre-norm, with tied item vectors."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recloop.config import Bert4RecConfig
from recloop.models.blocks import Block, Dropout
from recloop.models.sasrec import last_of


class Bert4Rec(nn.Module):
    """Items with gaps (0) -> a state at each place; at a gap it foretells the item."""

    def __init__(self, n_codes: int, config: Bert4RecConfig) -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout, fast=config.fast)
        self.items = nn.Embedding(n_codes, config.dim)
        self.positions = nn.Embedding(config.length, config.dim)
        self.gap = nn.Parameter(torch.randn(config.dim) * 0.05)
        self.blocks = nn.ModuleList(
            Block(config.dim, config.heads, self.dropout, config.expand) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(config.dim)
        nn.init.normal_(self.items.weight, std=0.05)
        nn.init.normal_(self.positions.weight, std=0.05)

    def forward(self, items: Tensor, times: Tensor | None, lengths: Tensor) -> Tensor:
        """Item codes [batch, length], lengths [batch] -> states [batch, length, dim]; times do not matter."""
        place = torch.arange(items.shape[1], device=items.device)
        seen = torch.where((items == 0)[:, :, None], self.gap, self.items(items))
        x = self.dropout(seen + self.positions(place))
        real = place[None] < lengths[:, None]
        for block in self.blocks:
            x = block(x, real)
        out: Tensor = self.norm(x)
        return out


class NextGap(nn.Module):
    """What is exported: items and lengths -> the state of a gap after the last item."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, items: Tensor, lengths: Tensor) -> Tensor:
        """Codes [batch, length], padded with 0, lengths [batch] >= 1 -> [batch, dim]."""
        longer = F.pad(items, (0, 1))
        return last_of(self.net(longer, None, lengths + 1), lengths + 1)
