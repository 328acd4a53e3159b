"""A tiny SASRec fit that tells each step's loss and sequences; run as a program it is one of several processes.

shared_fits.py FOLDER PROCESSES END: fits in FOLDER, stops before step END, and writes FOLDER/<processes>.<rank>.jsonl.
"""

import json
import os
import sys
from pathlib import Path

import torch

import fits
from recloop.errors import Stopped
from recloop.models.fit import train
from recloop.models.sasrec import SASRec
from recloop.models.sasrec_fit import plan_of

CONFIG = fits.CONFIG.model_copy(update={"dropout": 0.0, "batch": 10, "epochs": 2})


class Told:
    """A plan that writes what each step learnt, and ends early."""

    def __init__(self, plan, log, end):
        self.plan, self.steps, self.seed, self.lr, self.batches = plan, plan.steps, plan.seed, plan.lr, plan.batches
        self.log, self.end = log, end

    def loss(self, net, batch, world):
        if batch.step == self.end:
            raise Stopped("here")
        loss = self.plan.loss(net, batch, world)
        rows = [[*row[row > 0].tolist(), *time.tolist()] for row, time in zip(batch.items, batch.times, strict=True)]
        line = {"step": batch.step, "loss": loss.item(), "rows": rows}
        with self.log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return loss


def fit(folder: Path, *, processes: int, end: int = -1) -> SASRec:
    """Fit, or go on with what was fitted in the folder -> the net."""
    torch.manual_seed(5)
    net, plan = SASRec(fits.N_CODES, CONFIG), plan_of(fits.walks(), fits.N_CODES, CONFIG, CONFIG.epochs, 5)
    log = folder / f"{processes}.{os.environ.get('LOCAL_RANK', '0')}.jsonl"
    strategy = "ddp" if processes > 1 else "auto"
    trainer = fits.TrainerConfig(threads=1, checkpoint_seconds=1e-9, devices=processes, strategy=strategy)
    train(net, Told(plan, log, end), name="sasrec", trainer=trainer, work=folder)
    return net


def told(folder: Path, processes: int) -> dict[int, tuple[float, list[list[int]]]]:
    """Step -> mean loss over the processes, and all sequences of the step in order."""
    found: dict[int, list] = {}
    for rank in range(processes):
        for line in (folder / f"{processes}.{rank}.jsonl").read_text().splitlines():
            one = json.loads(line)
            found.setdefault(one["step"], []).append((one["loss"], one["rows"]))
    return {
        step: (sum(loss for loss, _ in parts) / processes, sorted(row for _, rows in parts for row in rows))
        for step, parts in found.items()
    }


if __name__ == "__main__":
    fit(Path(sys.argv[1]), processes=int(sys.argv[2]), end=int(sys.argv[3]))
