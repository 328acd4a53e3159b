"""SASRec: a causal transformer over a user's items (Kang and McAuley 2018), pre-norm, with tied item vectors."""

import torch
from torch import Tensor, nn

from recloop.config import SASRecConfig
from recloop.models.blocks import Block, Dropout, GatedBlock

BLOCKS = {"plain": Block, "gated": GatedBlock}


class SASRec(nn.Module):
    """Items, oldest first and padded at the end -> a state after each of them.

    Padding comes last and attention is causal, so that no mask is needed.
    """

    def __init__(self, n_codes: int, config: SASRecConfig) -> None:
        super().__init__()
        self.dropout = Dropout(config.dropout, fast=config.fast)
        self.items = nn.Embedding(n_codes, config.dim)
        self.positions = nn.Embedding(config.length, config.dim)
        self.blocks = nn.ModuleList(
            BLOCKS[config.block](config.dim, config.heads, self.dropout, config.expand) for _ in range(config.blocks)
        )
        self.norm = nn.LayerNorm(config.dim)
        nn.init.normal_(self.items.weight, std=0.05)
        nn.init.normal_(self.positions.weight, std=0.05)

    def forward(self, items: Tensor, times: Tensor | None = None, lengths: Tensor | None = None) -> Tensor:
        """Item codes [batch, length] -> states [batch, length, dim]; neither times nor lengths matter."""
        place = torch.arange(items.shape[1], device=items.device)
        x = self.dropout(self.items(items) + self.positions(place))
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out


class LastState(nn.Module):
    """What is exported: items and lengths -> the state after the last item."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, items: Tensor, lengths: Tensor) -> Tensor:
        """Codes [batch, length], lengths [batch] >= 1 -> [batch, dim]."""
        return last_of(self.net(items), lengths)


def last_of(states: Tensor, lengths: Tensor) -> Tensor:
    """States [batch, length, dim] -> those at the last places [batch, dim]."""
    last = (lengths - 1).view(-1, 1, 1).expand(-1, 1, states.shape[2])
    return states.gather(1, last).squeeze(1)
