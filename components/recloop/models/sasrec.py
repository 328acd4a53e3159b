"""SASRec: a causal transformer over a user's items (Kang and McAuley 2018), pre-norm, with tied item vectors."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from recloop.config import SASRecConfig
from recloop.models.blocks import Block, GatedBlock
from recloop.models.sequence_net import SequenceNet

BLOCKS = {"plain": Block, "gated": GatedBlock}


class SASRec(SequenceNet):
    """Items, oldest first and padded at the end -> a state after each of them.

    Padding comes last and attention is causal, so that no mask is needed.
    """

    def __init__(self, n_codes: int, config: SASRecConfig, content: NDArray[np.float32] | None = None) -> None:
        block = BLOCKS[config.block]
        super().__init__(
            n_codes, config, lambda dropout: block(config.dim, config.heads, dropout, config.expand), content
        )

    def forward(
        self, items: Tensor, times: Tensor | None = None, lengths: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        """Item codes [batch, length] -> states [batch, length, dim]; neither times nor lengths matter."""
        x, _ = self.embedded(items, context)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out
