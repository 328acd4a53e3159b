"""Vectors of items in a sequence model: of their ids alone, or of what they are fused with their ids by a learnt gate."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Items(nn.Embedding):
    """A vector an id."""

    def counted(self, events: Tensor) -> Tensor:
        """Events of each item -> the items with a vector that means something. [n_codes]"""
        return events > 0

    def vectors(self) -> Tensor:
        """Of every item. [n_codes, dim]"""
        return self.weight

    def among(self, targets: Tensor, negatives: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Vectors that a sampled softmax needs, and its codes and their log_q as rows of these."""
        return self.weight, targets, negatives, log_q


class SparseItems(Items):
    """A vector an id, with gradients of the rows of a step alone."""

    def __init__(self, n_codes: int, dim: int) -> None:
        super().__init__(n_codes, dim, sparse=True)

    def among(self, targets: Tensor, negatives: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Vectors of the distinct codes, and the codes and their log_q as rows of these."""
        distinct, place = torch.unique(torch.cat([targets, negatives]), return_inverse=True)
        return self(distinct), place[: len(targets)], place[len(targets) :], log_q[distinct]


class FusedItems(nn.Module):
    """Projected content, plus as much of the id's own vector as a learnt gate lets through.

    An item with fewer than `least` events is its content alone: its id would learn little but that it is rare. So is, in
    training, a share `without` of the others, so that the content learns to stand alone (Volkovs et al. 2017).
    """

    content: Tensor  # [n_codes, width]
    trusted: Tensor  # [n_codes, 1] whether the item has events enough

    def __init__(self, content: Tensor, dim: int, *, ids: bool, without: float, least: int) -> None:
        super().__init__()
        self.register_buffer("content", content)
        self.register_buffer("trusted", torch.zeros(len(content), 1))
        self.without, self.least = without, least
        self.project = nn.Linear(content.shape[1], dim, bias=False)
        self.weight = nn.Parameter(torch.zeros(len(content), dim)) if ids else None
        self.gate = nn.Linear(2 * dim, dim) if ids else None

    def counted(self, events: Tensor) -> Tensor:
        """Events of each item, by which its id is trusted -> the items with a vector that means something. [n_codes]"""
        self.trusted.copy_((events >= self.least)[:, None])
        described = self.content.any(dim=1)
        return described if self.weight is None else described | (events >= self.least)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes of any shape -> vectors of that shape and dim; each distinct item is made once."""
        distinct, place = torch.unique(codes, return_inverse=True)
        return F.embedding(place, self.made(distinct))

    def vectors(self) -> Tensor:
        """Of every item. [n_codes, dim]"""
        return self.made(torch.arange(len(self.content), device=self.content.device))

    def among(self, targets: Tensor, negatives: Tensor, log_q: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Vectors of the distinct codes, and the codes and their log_q as rows of these."""
        distinct, place = torch.unique(torch.cat([targets, negatives]), return_inverse=True)
        return self.made(distinct), place[: len(targets)], place[len(targets) :], log_q[distinct]

    def made(self, codes: Tensor) -> Tensor:
        """Distinct codes [n] -> vectors [n, dim]."""
        content: Tensor = self.project(self.content[codes])
        if self.weight is None or self.gate is None:
            return content
        own = self.weight[codes]
        share = torch.sigmoid(self.gate(torch.cat([content, own], dim=1))) * self.trusted[codes]
        if self.training and self.without:
            share = share * (torch.rand(len(codes), 1, device=codes.device) >= self.without)
        return content + share * own
