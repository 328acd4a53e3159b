"""BERT4Rec: a transformer that sees both sides of a gap and fills it (Sun et al. 2019), pre-norm, with tied item vectors."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from recloop.config import Bert4RecConfig
from recloop.models.sasrec import BLOCKS
from recloop.models.sequence_net import LastState, SequenceNet, last_of


class Bert4Rec(SequenceNet):
    """Items with gaps (0) -> a state at each place; at a gap it foretells the item."""

    gaps = True

    def __init__(self, n_codes: int, config: Bert4RecConfig, content: NDArray[np.float32] | None = None) -> None:
        block = BLOCKS[config.block]
        super().__init__(
            n_codes, config, lambda dropout: block(config.dim, config.heads, dropout, config.expand), content
        )

    def forward(self, items: Tensor, times: Tensor | None, lengths: Tensor, context: Tensor | None = None) -> Tensor:
        """Item codes [batch, length], lengths [batch] -> states [batch, length, dim]; times do not matter."""
        x, place = self.embedded(items, context)
        real = place[None] < lengths[:, None]
        for block in self.blocks:
            x = block(x, real)
        out: Tensor = self.norm(x)
        return out


class NextGap(LastState):
    """What is exported: the state of a gap after the last item, of which nothing else is known."""

    room = 1

    def forward(self, items: Tensor, lengths: Tensor, *more: Tensor) -> Tensor:
        """Codes [batch, length], padded with 0, lengths [batch] >= 1, `more` as `inputs` names it -> [batch, dim]."""
        named = {name: F.pad(one, (0, 0, 0, 1)) for name, one in zip(self.inputs[2:], more, strict=True)}
        longer = F.pad(items, (0, 1))
        return last_of(self.net(longer, None, lengths + 1, **named), lengths + 1)
