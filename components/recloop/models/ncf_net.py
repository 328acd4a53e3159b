"""The networks of neural collaborative filtering: factors, a perceptron, or both, over blocks of users by items."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from recloop.config import NCFConfig


class NCFNet(nn.Module):
    """Users x items -> logits: h . (p * q) + b for the factors, a tower over [p', q'] for the perceptron, their sum for both.

    kind mf fixes h at 1 (a dot product) and has item biases; the other kinds learn h (He et al. 2017, equations 8 to 12).
    """

    def __init__(self, kind: str, config: NCFConfig, *, n_users: int, n_codes: int) -> None:
        super().__init__()
        factors, hidden, init = config.factors, config.hidden, config.init
        self.kind, self.wide, self.deep = kind, kind != "mlp", kind in ("mlp", "neumf")
        if self.wide:
            self.user_factors = nn.Parameter(torch.randn(n_users, factors) * init)
            self.item_factors = nn.Parameter(torch.randn(n_codes, factors) * init)
            self.output_factors = nn.Parameter(torch.ones(factors), requires_grad=kind != "mf")
        if self.deep:
            size = hidden[0]
            self.user_deep = nn.Parameter(torch.randn(n_users, size) * init)
            self.item_deep = nn.Parameter(torch.randn(n_codes, size) * init)
            self.first_user = nn.Linear(size, size)
            self.first_item = nn.Linear(size, size, bias=False)
            self.rest = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(hidden))
            self.output_deep = nn.Parameter(torch.randn(hidden[-1]) / hidden[-1] ** 0.5)
        self.item_bias = nn.Parameter(torch.zeros(n_codes))

    def block(self, users: Tensor, items: Tensor) -> Tensor:
        """Every user [b] with every item [m] -> logits. [b, m]"""
        found = self.item_bias[items].expand(len(users), -1)
        if self.wide:
            found = found + (self.user_factors[users] * self.output_factors) @ self.item_factors[items].T
        if self.deep:
            own, other = self.first_user(self.user_deep[users]), self.first_item(self.item_deep[items])
            found = found + self.tower(own[:, None] + other)
        return found

    def pairs(self, users: Tensor, row: Tensor, items: Tensor) -> Tensor:
        """Pairs of users[row] and items -> logits; each user's half of the first layer is worked out once. [pairs]"""
        found = self.item_bias[items]
        if self.wide:
            own = (self.user_factors[users] * self.output_factors)[row]
            found = found + (own * self.item_factors[items]).sum(1)
        if self.deep:
            own, other = self.first_user(self.user_deep[users]), self.first_item(self.item_deep)
            found = found + self.tower(own[row] + other[items])
        return found

    def tower(self, first: Tensor) -> Tensor:
        """First layer's sums -> logits. [..., hidden] -> [...]"""
        state = first.relu()
        for layer in self.rest:
            state = layer(state).relu()
        return state @ self.output_deep

    def vectors(self) -> Tensor:
        """Learnt user vectors, both parts side by side. [n_users, dim]"""
        tables = (("user_factors", self.wide), ("user_deep", self.deep))
        return torch.cat([self.get_parameter(name) for name, held in tables if held], dim=1)
