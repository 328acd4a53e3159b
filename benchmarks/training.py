"""Seconds an epoch of SASRec beside RecTools', one after the other in one run, on a published file of sequences.

RECLOOP_BENCH_RECTOOLS=/path/to/python python benchmarks/training.py Beauty.txt --loss sampled --json out.jsonl
One block, one head, dimension 64, length 50, batch 128. RecTools draws 256 negatives for each position; here 1,024 are
shared by a batch. Wall seconds are only worth comparing on a quiet machine; processor seconds say what the work costs.
--peer-steps N times N steps of RecTools, all of which are padded to the same size, and multiplies.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from recloop.config import DataConfig, SASRecConfig, SplitConfig, TrainerConfig
from recloop.data import split
from recloop.data.sources.collect import collect
from recloop.models.fit import Optimiser, train
from recloop.models.sasrec import SASRec
from recloop.models.sasrec_fit import plan_of
from recloop.models.task import past_of

PEER = "RECLOOP_BENCH_RECTOOLS"
SETTINGS = {"length": 50, "dim": 64, "blocks": 1, "heads": 1, "batch": 128, "dropout": 0.2, "horizon": 1, "epochs": 1}


class Timed:
    """A plan, and the seconds from the end of its first step to the end of its last."""

    def __init__(self, plan):
        self.plan, self.steps, self.seed, self.lr, self.loss, self.marks = (
            plan,
            plan.steps,
            plan.seed,
            plan.lr,
            plan.loss,
            [],
        )

    def batches(self, start, *, rank, world):
        for batch in self.plan.batches(start, rank=rank, world=world):
            yield batch
            self.marks.append((time.perf_counter(), time.process_time()))

    @property
    def a_step(self):
        (wall, cpu), (last_wall, last_cpu) = self.marks[0], self.marks[-1]
        return {"wall": (last_wall - wall) / (len(self.marks) - 1), "cpu": (last_cpu - cpu) / (len(self.marks) - 1)}


def flops(plan, net):
    """Floating-point operations of the matrix products of an average step."""
    some = [batch for n, batch in enumerate(plan.batches(0, rank=0, world=1)) if n % 16 == 0]
    with FlopCounterMode(display=False) as counter:
        for batch in some:
            plan.loss(net, batch, 1).backward()
    return counter.get_total_flops() / len(some)


def matmul_rate(size=1536, times=8):
    """Floating-point operations a processor second, and a second, of a great matrix product."""
    a = torch.rand(size, size)
    a @ a
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        a @ a
    work = 2 * size**3 * times
    return work / (time.process_time() - cpu), work / (time.perf_counter() - wall)


def own(data, config, threads):
    past, n_codes = past_of(data, data.windows(1)[1]), data.catalogue.height + 1
    torch.manual_seed(1)
    plan, net = plan_of(past, n_codes, config, 1, 1), SASRec(n_codes, config)
    timed = Timed(plan)
    with tempfile.TemporaryDirectory() as work:
        trainer = TrainerConfig(threads=threads, checkpoint_seconds=1e6)
        train(net, timed, name="sasrec", trainer=trainer, work=Path(work), optimiser=Optimiser(fused=config.fast))
    rate, wall_rate = matmul_rate()
    found = timed.a_step
    made = flops(plan, net.train())
    return found | {
        "steps": plan.steps,
        "gflop": made / 1e9,
        "share_of_matmul": made / (found["cpu"] * rate),
        "matmul_gflops": wall_rate / 1e9,
    }


def peer(python, data, config, threads, steps, folder):
    past = past_of(data, data.windows(1)[1])
    users = len(past) - int((past.lengths < 2).sum())
    path = folder / "interactions.csv"
    rows = zip(past.rows.tolist(), past.items.tolist(), past.times.tolist(), strict=True)
    path.write_text("user_id,item_id,time\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows))
    told = {name: getattr(config, name) for name in ("length", "dim", "batch", "dropout")}
    told |= {"threads": threads, "steps": steps, "loss": "softmax" if config.loss == "full" else "sampled_softmax"}
    told |= {"negatives": 256, "all_steps": math.ceil(users / config.batch)}
    script = Path(__file__).with_name("rectools_epoch.py")
    ran = subprocess.run(
        [python, str(script), str(path), json.dumps(told)], check=True, capture_output=True, text=True, cwd=folder
    )
    return json.loads(ran.stdout.splitlines()[-1])


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("file", type=Path)
    asked.add_argument("--loss", choices=["sampled", "full"], default="sampled")
    asked.add_argument("--slow", action="store_true", help="without the fast setting")
    asked.add_argument("--threads", type=int, default=2)
    asked.add_argument("--peer-steps", type=int, default=0, help="0 is the whole epoch")
    asked.add_argument("--json", type=Path)
    told = asked.parse_args()
    events, items = collect(DataConfig(source="sequences", events=str(told.file)))
    data = split.build(events, items, SplitConfig(kind="leave_last_out", min_item_events=1))
    config = SASRecConfig(**SETTINGS, loss=told.loss, negatives=1024, draw="uniform", fast=not told.slow)
    result = {"file": told.file.name, "loss": told.loss, "fast": config.fast, "threads": told.threads}
    result["recloop"] = own(data, config, told.threads)
    python = os.environ.get(PEER)
    if python is None:
        sys.stderr.write(f"RecTools is left out: {PEER} names no Python that has it.\n")
    else:
        with tempfile.TemporaryDirectory() as folder:
            result["rectools"] = peer(python, data, config, told.threads, told.peer_steps, Path(folder))
        for clock in ("wall", "cpu"):
            epochs = [result[name][clock] * result[name]["steps"] for name in ("rectools", "recloop")]
            result[f"{clock}_epoch"] = {"rectools": epochs[0], "recloop": epochs[1], "ratio": epochs[0] / epochs[1]}
    result["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    sys.stdout.write(json.dumps(result) + "\n")
    if told.json:
        with told.json.open("a") as file:
            file.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
