"""Sampled softmax with logQ correction."""

import torch
from torch import Tensor
from torch.nn import functional as F


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
