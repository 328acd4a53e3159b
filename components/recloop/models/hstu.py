"""HSTU: pointwise aggregated attention with a bias of places and times (Zhai et al. 2024), with tied item vectors."""

import torch
from torch import Tensor, nn

from recloop.config import HSTUConfig
from recloop.models.blocks import Dropout, PointwiseBlock
from recloop.models.sasrec import last_of


class HSTU(nn.Module):
    """Items, oldest first and padded at the end, and when they were taken -> a state after each of them."""

    def __init__(self, n_codes: int, config: HSTUConfig) -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout, fast=config.fast)
        self.items = nn.Embedding(n_codes, config.dim)
        self.positions = nn.Embedding(config.length, config.dim)
        self.blocks = nn.ModuleList(
            PointwiseBlock(config.dim, config.heads, self.dropout, config.length) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(config.dim)
        nn.init.normal_(self.items.weight, std=0.05)
        nn.init.normal_(self.positions.weight, std=0.05)

    def forward(self, items: Tensor, times: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Item codes and seconds [batch, length] -> states [batch, length, dim]."""
        place = torch.arange(items.shape[1], device=items.device)
        x = self.dropout(self.items(items) + self.positions(place))
        for block in self.blocks:
            x = block(x, place, times)
        out: Tensor = self.norm(x)
        return out


class TimedLastState(nn.Module):
    """What is exported: items, lengths and times -> the state after the last item."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, items: Tensor, lengths: Tensor, times: Tensor) -> Tensor:
        """Codes [batch, length], lengths [batch] >= 1, seconds [batch, length] -> [batch, dim]."""
        return last_of(self.net(items, times), lengths)
