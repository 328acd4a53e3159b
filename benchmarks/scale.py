"""SASRec over a made-up log of a million items: seconds an epoch, peak memory, and how both grow with the events.

recloop bench scale [--json] [--quick]
Histories are mapped from disk; the loss is a softmax over 1,024 shared negatives, so that no more logits are held than
positions of a block times these; the optimiser moves the rows of a step alone. Beside it stands what moves every row.
Each fit has a process of its own, whose peak memory is told.
"""

import json
import subprocess
import sys
from pathlib import Path

from contract import parser, say, told

SCRIPT = Path(__file__).with_name("scale_fit.py")
LIMIT_MB = 12 * 1024
DENSE_STEPS = 30
"""that are timed with an optimiser that moves every row"""
HEADS = ("events", "items", "optimiser", "timed_steps", "epoch_seconds", "epoch_cpu_seconds", "peak_mb")


def fitted(events, items, kind, steps, threads):
    """What scale_fit.py tells."""
    say(f"{events:,} events, {items:,} items, {kind}")
    command = [sys.executable, str(SCRIPT), *map(str, (events, items, kind, steps, threads))]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main():
    """Measure and tell."""
    asking = parser(__doc__)
    asking.add_argument("--threads", type=int, default=2)
    asking.add_argument("--steps", type=int, default=0, help="time so many steps of each epoch; 0 is all of it")
    asked = asking.parse_args()
    items, sizes = (100_000, (50_000, 500_000)) if asked.quick else (1_000_000, (1_000_000, 10_000_000))
    fits = [fitted(events, items, "sparse", asked.steps, asked.threads) for events in sizes]
    dense = fitted(sizes[0], items, "dense", asked.steps or DENSE_STEPS, asked.threads)
    small, great = fits
    found = {"benchmark": "scale", "fits": [*fits, dense], "limit_mb": LIMIT_MB}
    found["within_limit"] = great["peak_mb"] <= LIMIT_MB
    found["growth"] = {
        "events": sizes[1] / sizes[0],
        "epoch_cpu_seconds": round(great["epoch_cpu_seconds"] / small["epoch_cpu_seconds"], 2),
        "peak_mb": round(great["peak_mb"] / small["peak_mb"], 2),
    }
    found["row_sparse_gain"] = round(dense["epoch_cpu_seconds"] / small["epoch_cpu_seconds"], 1)
    told(found, [tuple(str(fit[name]) for name in HEADS) for fit in found["fits"]], HEADS, asked)


if __name__ == "__main__":
    main()
