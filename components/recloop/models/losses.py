"""Softmax losses of next-item models: over shared negatives with logQ correction, or over the whole catalogue."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

CELLS = 1 << 20
"""logits held at once by the fast losses"""


def sampled_softmax(states: Tensor, targets: Tensor, negatives: Tensor, vectors: Tensor, log_q: Tensor) -> Tensor:
    """Summed cross-entropy of each target against negatives that all positions share.

    states [positions, dim], targets [positions], negatives [m] codes, vectors [n_codes, dim]; log_q [n_codes] is the log of
    the expected count of each code among the negatives, taken off every logit (Jean et al. 2015, section 3; Bengio and
    Senecal 2008). A negative that equals the target is left out of its own row.
    """
    wanted = (states * F.embedding(targets, vectors)).sum(1) - log_q[targets]  # [positions]
    others = states @ F.embedding(negatives, vectors).T - log_q[negatives]  # [positions, m]
    others = others.masked_fill(targets[:, None] == negatives[None], -torch.inf)
    logits = torch.cat([wanted[:, None], others], dim=1)
    return F.cross_entropy(logits, torch.zeros_like(targets), reduction="sum")


def fast_sampled_softmax(states: Tensor, targets: Tensor, negatives: Tensor, vectors: Tensor, log_q: Tensor) -> Tensor:
    """`sampled_softmax` to within rounding, with a third of its work."""
    loss: Tensor = _Softmax.apply(states, vectors, targets, negatives, log_q)  # type: ignore[no-untyped-call]
    return loss


def full_softmax(states: Tensor, targets: Tensor, vectors: Tensor) -> Tensor:
    """Summed cross-entropy of each target against every item; code 0 is no item.

    states [positions, dim], targets [positions] codes, vectors [n_codes, dim].
    """
    every = torch.arange(1, len(vectors), device=vectors.device)
    loss: Tensor = _Softmax.apply(states, vectors, targets, every, None)  # type: ignore[no-untyped-call]
    return loss


class _Softmax(torch.autograd.Function):
    """Logits are made, turned into gradients and forgotten a block at a time (after Wijmans et al. 2024)."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, vectors: Tensor, targets: Tensor, candidates: Tensor, log_q: Tensor | None
    ) -> Tensor:
        """The loss, and its gradients by the way."""
        whole = log_q is None  # the candidates are all items, in order
        own, others = vectors[targets], vectors[1:] if whole else vectors[candidates]
        wanted = (states * own).sum(1)  # [positions]
        minus = None
        if log_q is not None:
            wanted, minus = wanted - log_q[targets], -log_q[candidates]
        same = _same(candidates)
        of_states, of_others = torch.empty_like(states), torch.zeros_like(others)
        norms, tops = torch.empty_like(wanted), torch.empty_like(wanted)
        rows = max(1, CELLS // max(1, len(candidates)))
        for start in range(0, len(states), rows):
            at = slice(start, start + rows)
            logits = states[at] @ others.T if minus is None else torch.addmm(minus, states[at], others.T)
            logits[same(targets[at])] = -torch.inf
            top = torch.maximum(logits.amax(1), wanted[at])
            share = logits.sub_(top[:, None]).exp_()  # [rows, candidates] not yet divided by the norm
            norm = share.sum(1) + (wanted[at] - top).exp()
            torch.mm(share, others, out=of_states[at])
            of_others.addmm_(share.T, states[at] / norm[:, None])
            norms[at], tops[at] = norm, top
        miss = (wanted - tops).exp() / norms - 1  # gradient of the target's logit
        of_states.div_(norms[:, None]).addcmul_(own, miss[:, None])
        of_vectors = torch.zeros_like(vectors)
        if whole:
            of_vectors[1:] = of_others
        else:
            of_vectors.index_add_(0, candidates, of_others)
        of_vectors.index_add_(0, targets, states * miss[:, None])
        ctx.save_for_backward(of_states, of_vectors)
        return (norms.log() + tops - wanted).sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        """What `forward` found, scaled where it lies."""
        of_states, of_vectors = ctx.saved_tensors
        return of_states.mul_(gradient), of_vectors.mul_(gradient), None, None, None


def _same(candidates: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Candidates [m], in any order, with repeats -> targets [n] to rows and columns where a candidate is the row's target."""
    ordered, places = torch.sort(candidates)

    def find(targets: Tensor) -> tuple[Tensor, Tensor]:
        low = torch.searchsorted(ordered, targets)
        counts = torch.searchsorted(ordered, targets, right=True) - low
        rows = torch.repeat_interleave(torch.arange(len(targets), device=targets.device), counts)
        before = torch.repeat_interleave(counts.cumsum(0) - counts, counts)
        return rows, places[low[rows] + torch.arange(len(rows), device=targets.device) - before]

    return find
