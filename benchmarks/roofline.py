"""How much of this machine's rate of matrix products a training step reaches."""

import time

import torch
from torch.utils.flop_counter import FlopCounterMode

COUNTED = 48
"""batches that stand for all of them: they differ in length"""


def added(_, left, right, **__):
    """Operations of a product that is added in place; the shapes are of what it is added to and of its two factors."""
    return 2 * left[0] * left[1] * right[1]


IN_PLACE = {torch.ops.aten.addmm_: added}
"""what torch's counter does not know: the losses' gradients of the vectors"""


def matmul_rate(size=1536, times=8):
    """Floating-point operations a processor second, and a second, of a great matrix product."""
    a = torch.rand(size, size)
    a @ a
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        a @ a
    work = 2 * size**3 * times
    return work / (time.process_time() - cpu), work / (time.perf_counter() - wall)


def flops(plan, net):
    """Floating-point operations of the matrix products of an average step, forward and backward."""
    apart = max(1, plan.steps // COUNTED)
    some = [batch for n, batch in enumerate(plan.batches(0, rank=0, world=1)) if n % apart == 0]
    with FlopCounterMode(display=False, custom_mapping=IN_PLACE) as counter:
        for batch in some:
            plan.loss(net, batch, 1).backward()
    return counter.get_total_flops() / len(some)
