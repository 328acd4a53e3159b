"""One epoch of SASRec over a made-up log, in a process of its own: scale_fit.py EVENTS ITEMS sparse|dense STEPS THREADS.

-> one JSON line. STEPS 0 is the whole epoch.
"""

import json
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import torch
from contract import peak_mb
from learning import Clock, Timed
from made import opened, write

from recloop.config import SASRecConfig, TrainerConfig
from recloop.models.fit import Optimiser, train
from recloop.models.sasrec import SASRec
from recloop.models.sasrec_fit import plan_of
from recloop.models.sequence_fit import seen_of

SETTINGS = {"length": 50, "dim": 64, "blocks": 1, "heads": 1, "batch": 256, "horizon": 1, "epochs": 1, "repeats": True}
SETTINGS |= {"negatives": 1024, "draw": "uniform", "fast": True}


class Some:
    """The first steps of a plan."""

    def __init__(self, plan, steps):
        self.plan, self.seed, self.lr, self.loss = plan, plan.seed, plan.lr, plan.loss
        self.steps = min(steps or plan.steps, plan.steps)

    def batches(self, start, *, rank, world):
        return islice(self.plan.batches(start, rank=rank, world=world), self.steps - start)


def main():
    """Write, fit, tell."""
    events, items, kind, steps, threads = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:6])
    config = SASRecConfig(**SETTINGS, sparse=kind == "sparse")
    with tempfile.TemporaryDirectory() as place:
        write(Path(place), events, items)
        torch.manual_seed(1)
        net, learnt, clock = SASRec(items + 1, config), seen_of(opened(Path(place)), config), Clock()
        timed = Timed(Some(plan_of(learnt, items + 1, config, 1, 1), steps), clock)
        trainer = TrainerConfig(threads=threads, checkpoint_seconds=1e6)
        optimiser = Optimiser(fused=True, rows=config.sparse)
        started = time.perf_counter()
        train(net, timed, name="sasrec", trainer=trainer, work=Path(place), optimiser=optimiser)
        whole = time.perf_counter() - started
    spent, all_steps = timed.a_step, timed.plan.plan.steps
    found = {"events": events, "items": items, "optimiser": kind, "steps": all_steps, "timed_steps": spent["timed"]}
    found |= {
        "epoch_seconds": round(spent["wall"] * all_steps, 1),
        "epoch_cpu_seconds": round(spent["cpu"] * all_steps, 1),
    }
    found |= {"with_checkpoint_seconds": round(whole, 1), "peak_mb": peak_mb(), "threads": threads}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
