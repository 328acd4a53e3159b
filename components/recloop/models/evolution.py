"""How an interest evolves along what a user had: a recurrent unit that attention opens (Zhou et al. 2019, DIEN)."""

import torch
from torch import Tensor, nn

from recloop.models.clicks import FACTS


class Evolution(nn.Module):
    """A GRU whose update gate is scaled by how much each item matters to the candidate (AUGRU; section 4.3).

    The paper's first recurrent layer and the loss on it are left out: the memory holds distinct items, not visits.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.given, self.held = nn.Linear(width + FACTS, 3 * width), nn.Linear(width, 3 * width, bias=False)

    def forward(self, keys: Tensor, facts: Tensor, share: Tensor) -> Tensor:
        """Items [pairs, length, width], newest first, their facts, how far each opens the gate -> the last state.

        share [pairs, length] is 0..1; an item of share 0 leaves the state as it is. [pairs, width]
        """
        given = self.given(torch.cat([keys, facts], dim=2))  # [pairs, length, 3 * width]
        state = torch.zeros_like(keys[:, 0])
        for place in reversed(range(keys.shape[1])):
            state = self.moved(state, given[:, place], share[:, place, None])
        return state

    def moved(self, state: Tensor, given: Tensor, share: Tensor) -> Tensor:
        """A state after one more item. [pairs, width]"""
        update, reset, fresh = given.chunk(3, dim=1)
        of_update, of_reset, of_fresh = self.held(state).chunk(3, dim=1)
        gate = torch.sigmoid(update + of_update) * share
        proposed = torch.tanh(fresh + torch.sigmoid(reset + of_reset) * of_fresh)
        return torch.lerp(state, proposed, gate)
