"""Recloop's SASRec, timed step by step and judged now and then, as rectools_fit.py does with RecTools'."""

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from contract import say
from validation import Validation

from recloop.config import TrainerConfig
from recloop.models.fit import Optimiser, train
from recloop.models.sasrec import SASRec
from recloop.models.sasrec_fit import plan_of
from recloop.models.sequence_net import LastState
from recloop.models.warm_start import begin

ROWS = 512


def now():
    """Wall and processor seconds."""
    return np.array([time.perf_counter(), time.process_time()])


@dataclass
class Clock:
    """Wall and processor seconds since a moment, without the time of looks."""

    start: np.ndarray = field(default_factory=now)
    away: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def read(self):
        """Seconds so far. [2]"""
        return now() - self.start - self.away


class Timed:
    """A plan that notes when each of its steps ended."""

    def __init__(self, plan, clock):
        self.plan, self.steps, self.seed, self.lr, self.loss = plan, plan.steps, plan.seed, plan.lr, plan.loss
        self.clock, self.marks = clock, []

    def batches(self, start, *, rank, world):
        for batch in self.plan.batches(start, rank=rank, world=world):
            yield batch
            self.marks.append(self.clock.read())

    @property
    def a_step(self):
        """Seconds from the end of the first step to that of the last, over their number."""
        wall, cpu = (self.marks[-1] - self.marks[0]) / (len(self.marks) - 1)
        return {"wall": wall, "cpu": cpu, "timed": len(self.marks) - 1}


class Judge:
    """A watch that keeps what it saw."""

    def __init__(self, validation: Validation, timed: Timed, every: int, patience: int) -> None:
        self.validation, self.timed, self.every, self.patience, self.curve = validation, timed, every, patience, []
        self.clock = timed.clock
        self.items, self.lengths = at_the_end(validation)

    def score(self, net):
        before, (wall, cpu) = now(), self.clock.read()
        with torch.no_grad():
            rows = zip(self.items.split(ROWS), self.lengths.split(ROWS), strict=True)
            states = torch.cat([LastState(net)(items, lengths) for items, lengths in rows])
            ndcg = self.validation.ndcg(states, net.items.vectors())
        step = len(self.timed.marks) + 1
        self.curve.append({"step": step, "wall": round(wall, 2), "cpu": round(cpu, 2), "ndcg": round(ndcg, 5)})
        say(f"  step {step}: NDCG@10 {ndcg:.4f} after {wall:.1f} s")
        self.clock.away = self.clock.away + now() - before
        return ndcg


def at_the_end(validation):
    """Items padded in front -> padded at the end [n, length], and lengths [n]."""
    length = validation.items.shape[1]
    at = (np.arange(length) + length - validation.lengths[:, None]) % length
    return torch.from_numpy(np.take_along_axis(validation.items, at, axis=1)), torch.from_numpy(validation.lengths)


def learn(beauty, config, *, seed, threads, judged=True):
    """Fit -> the curve of looks, the seconds of an average step, its plan and its net; the clock starts before all."""
    clock = Clock()
    torch.manual_seed(seed)
    net = SASRec(beauty.n_codes, config)
    start = begin(net, beauty.past, config, name="sasrec", warm=None, progress=None)
    timed = Timed(plan_of(beauty.past, beauty.n_codes, config, start.epochs(config), seed), clock)
    every = timed.plan.sequences.edges[1] * config.watch_epochs
    judge = Judge(beauty.validation, timed, int(every), config.patience) if judged else None
    with tempfile.TemporaryDirectory() as work:
        trainer = TrainerConfig(threads=threads, checkpoint_seconds=1e6)
        optimiser = Optimiser(schedule=config.schedule, fused=config.fast)
        train(net, timed, name="sasrec", trainer=trainer, work=Path(work), optimiser=optimiser, watch=judge)
    return judge.curve if judge else [], timed, net
