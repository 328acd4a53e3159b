"""Adam that moves only the rows a step touched, for tables of a million items."""

from collections.abc import Callable
from typing import Any, overload

import torch
from torch import Tensor


class RowAdam(torch.optim.Adam):
    """Adam; a weight with a sparse gradient has only the gradient's rows and their moments changed.

    Rows that a step does not touch keep their moments as they are, where Adam would let them decay and go on moving them
    (as torch's SparseAdam). Its state is laid out as Adam's.
    """

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], Any]) -> Any: ...

    @torch.no_grad()  # type: ignore[untyped-decorator, unused-ignore]
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step: the closure's loss, where there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None and weight.grad.is_sparse:
                    self._move(weight, weight.grad.coalesce(), group)
                    weight.grad = None
        super().step()
        return loss

    def _move(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        """Adam on the rows of a gradient (Kingma and Ba 2015, algorithm 1)."""
        state = self.state[weight]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(weight), torch.zeros_like(weight)
        state["step"] += 1
        rows, found = gradient.indices()[0], gradient.values()
        (first, second), count = group["betas"], float(state["step"])
        mean = state["exp_avg"].index_select(0, rows).lerp_(found, 1 - first)
        square = state["exp_avg_sq"].index_select(0, rows).mul_(second).addcmul_(found, found, value=1 - second)
        state["exp_avg"].index_copy_(0, rows, mean)
        state["exp_avg_sq"].index_copy_(0, rows, square)
        way = mean / square.div_(1 - second**count).sqrt_().add_(group["eps"])
        weight.index_add_(0, rows, way, alpha=-group["lr"] / (1 - first**count))
