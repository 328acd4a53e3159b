"""SASRec: a causal transformer over a user's items (Kang and McAuley 2018), pre-norm, with tied item vectors."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from recloop.config import SASRecConfig


class Block(nn.Module):
    """Pre-norm causal self-attention and a feed-forward layer."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm_attention, self.norm_forward = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, length, dim] -> the same shape."""
        x = x + F.dropout(self.attend(self.norm_attention(x)), self.dropout, self.training)
        wide = F.gelu(self.up(self.norm_forward(x)))
        return x + F.dropout(self.down(wide), self.dropout, self.training)

    def attend(self, x: Tensor) -> Tensor:
        """Causal attention. [batch, length, dim]"""
        batch, length, dim = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # [batch, heads, length, dim / heads]
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, dim))
        return out


class SASRec(nn.Module):
    """Items, oldest first and padded at the end -> a state after each of them.

    Padding comes last and attention is causal, so that no mask is needed.
    """

    def __init__(self, n_codes: int, config: SASRecConfig) -> None:
        super().__init__()
        self.items = nn.Embedding(n_codes, config.dim)
        self.positions = nn.Embedding(config.length, config.dim)
        self.blocks = nn.ModuleList(Block(config.dim, config.heads, config.dropout) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(config.dim)
        self.dropout = config.dropout
        nn.init.normal_(self.items.weight, std=0.05)
        nn.init.normal_(self.positions.weight, std=0.05)

    def forward(self, items: Tensor) -> Tensor:
        """Item codes [batch, length] -> states [batch, length, dim]."""
        place = torch.arange(items.shape[1], device=items.device)
        x = F.dropout(self.items(items) + self.positions(place), self.dropout, self.training)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out


class LastState(nn.Module):
    """What is exported: items and lengths -> the state after the last item."""

    def __init__(self, net: SASRec) -> None:
        super().__init__()
        self.net = net

    def forward(self, items: Tensor, lengths: Tensor) -> Tensor:
        """Codes [batch, length], lengths [batch] >= 1 -> [batch, dim]."""
        states = self.net(items)
        last = (lengths - 1).view(-1, 1, 1).expand(-1, 1, states.shape[2])
        state: Tensor = states.gather(1, last).squeeze(1)
        return state
