"""Layers of the sequence models: each maps states [batch, length, dim] to states of the same shape."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Dropout; `fast` draws eight numbers at once, so that the rate is a multiple of 1/256."""

    def __init__(self, rate: float, *, fast: bool) -> None:
        super().__init__()
        self.rate, self.fast = rate, fast

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        if not (self.fast and self.training and self.rate):
            return F.dropout(x, self.rate, self.training)
        lost = round(self.rate * 256)
        draws = torch.empty(-(-x.numel() // 8), dtype=torch.int64, device=x.device).random_(-(2**63), None)
        kept = draws.view(torch.uint8)[: x.numel()].view(x.shape) >= lost
        return x * kept.to(x.dtype).mul_(256 / (256 - lost))


class Block(nn.Module):
    """Pre-norm self-attention and a feed-forward layer; causal unless it is told which places are real."""

    def __init__(self, dim: int, heads: int, dropout: Dropout, expand: int = 2) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm_attention, self.norm_forward = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, expand * dim), nn.Linear(expand * dim, dim)

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """States [batch, length, dim], real [batch, length] or None -> the same shape."""
        x = x + self.dropout(self.attend(self.norm_attention(x), real))
        wide = F.gelu(self.up(self.norm_forward(x)))
        out: Tensor = x + self.dropout(self.down(wide))
        return out

    def attend(self, x: Tensor, real: Tensor | None) -> Tensor:
        """Attention to what came before, or to everything real. [batch, length, dim]"""
        batch, length, dim = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        if real is None:
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)  # [batch, heads, length, dim / heads]
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=real[:, None, None])
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, length, dim))
        return out


class GatedBlock(Block):
    """A block whose residuals are weighted by a sigmoid of its input (LiGR, Borisyuk et al. 2025)."""

    def __init__(self, dim: int, heads: int, dropout: Dropout, expand: int = 2) -> None:
        super().__init__(dim, heads, dropout, expand)
        self.gate_attention, self.gate_forward = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.side = nn.Linear(dim, expand * dim)

    def forward(self, x: Tensor, real: Tensor | None = None) -> Tensor:
        """States [batch, length, dim], real [batch, length] or None -> the same shape."""
        mixed = self.dropout(self.attend(self.norm_attention(x), real))
        x = x + mixed * torch.sigmoid(self.gate_attention(x))
        normal = self.norm_forward(x)
        wide = self.down(F.silu(self.up(normal)) * self.side(normal))
        out: Tensor = x + self.dropout(wide) * torch.sigmoid(self.gate_forward(x))
        return out


class RelativeBias(nn.Module):
    """What is added to the attention of each pair of places: of how many events, and how long, lie between them."""

    SPANS = 64
    """buckets of the logarithm of the seconds between two events"""

    def __init__(self, heads: int, length: int) -> None:
        super().__init__()
        self.places = nn.Embedding(length, heads)
        self.spans = nn.Embedding(self.SPANS, heads)
        nn.init.normal_(self.places.weight, std=0.02)
        nn.init.normal_(self.spans.weight, std=0.02)

    def forward(self, length: Tensor, times: Tensor) -> Tensor:
        """Places 0..length - 1 [length], seconds [batch, length] -> [batch, heads, length, length]."""
        apart = (length[:, None] - length[None]).clamp(min=0)
        places = self.places(apart).permute(2, 0, 1)[None]
        seconds = (times[:, :, None] - times[:, None]).abs().clamp(min=1).float()
        bucket = (torch.log(seconds) / 0.301).long().clamp(max=self.SPANS - 1)
        bias: Tensor = places + self.spans(bucket).permute(0, 3, 1, 2)
        return bias


class PointwiseBlock(nn.Module):
    """HSTU (Zhai et al. 2024): attention weighted by SiLU instead of a softmax, gated, without a feed-forward."""

    def __init__(self, dim: int, heads: int, dropout: Dropout, length: int) -> None:
        super().__init__()
        self.heads, self.dropout, self.length = heads, dropout, length
        self.norm, self.norm_mixed = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.uqkv, self.out = nn.Linear(dim, 4 * dim), nn.Linear(dim, dim)
        self.bias = RelativeBias(heads, length)

    def forward(self, x: Tensor, places: Tensor, times: Tensor) -> Tensor:
        """States [batch, length, dim], places [length], seconds [batch, length] -> the same shape as the states."""
        batch, length, dim = x.shape
        parts = F.silu(self.uqkv(self.norm(x))).view(batch, length, 4, self.heads, dim // self.heads)
        gate, q, k, v = parts.permute(2, 0, 3, 1, 4)  # [batch, heads, length, dim / heads] each
        weights = F.silu(q @ k.transpose(2, 3) / math.sqrt(dim / self.heads) + self.bias(places, times))
        weights = weights * (places[:, None] >= places[None]) / (places + 1)[:, None]
        mixed = (weights @ v).transpose(1, 2).reshape(batch, length, dim)
        gate = gate.transpose(1, 2).reshape(batch, length, dim)
        out: Tensor = x + self.out(self.dropout(self.norm_mixed(mixed) * gate))
        return out
