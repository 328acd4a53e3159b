"""HSTU: pointwise aggregated attention with a bias of places and times (Zhai et al. 2024), with tied item vectors."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from recloop.config import HSTUConfig
from recloop.models.blocks import PointwiseBlock
from recloop.models.sequence_net import SequenceNet


class HSTU(SequenceNet):
    """Items, oldest first and padded at the end, and when they were taken -> a state after each of them."""

    timed = True

    def __init__(self, n_codes: int, config: HSTUConfig, content: NDArray[np.float32] | None = None) -> None:
        super().__init__(
            n_codes,
            config,
            lambda dropout: PointwiseBlock(config.dim, config.heads, dropout, config.length),
            content,
        )

    def forward(
        self, items: Tensor, times: Tensor, lengths: Tensor | None = None, context: Tensor | None = None
    ) -> Tensor:
        """Item codes and seconds [batch, length] -> states [batch, length, dim]; lengths do not matter."""
        x, place = self.embedded(items, context)
        for block in self.blocks:
            x = block(x, place, times)
        out: Tensor = self.norm(x)
        return out
