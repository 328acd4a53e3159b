"""RecTools' SASRec in a Python of its own, which RECLOOP_BENCH_RECTOOLS names."""

import json
import math
import os
import subprocess
import tempfile
from pathlib import Path

from contract import say

PEER = "RECLOOP_BENCH_RECTOOLS"
SCRIPT = Path(__file__).with_name("rectools_fit.py")
WITHOUT = (
    f"RecTools is left out: {PEER} names no Python that has it (pip install 'rectools[torch]' in a venv of its own)."
)
RECIPE = {"blocks": 1, "heads": 1, "dim": 64, "length": 50, "dropout": 0.2, "negatives": 256, "lr": 0.001, "batch": 128}
"""of its authors' own comparison on this set (eSASRec)"""


def python():
    """The Python that has RecTools, or None."""
    named = os.environ.get(PEER)
    if named and Path(named).is_file():
        return named
    say(WITHOUT)
    return None


def steps_an_epoch(beauty):
    """Steps in which every user with two events is seen once."""
    return math.ceil(int((beauty.past.lengths >= 2).sum()) / RECIPE["batch"])


def timed(python, beauty, *, loss, threads, steps):
    """Seconds of an average step and peak memory, over so many steps; 0 is a whole epoch."""
    with tempfile.TemporaryDirectory() as folder:
        return _ran(python, beauty, Path(folder), _told(loss, threads, steps=steps))[-1]


def curve(python, beauty, folder, *, threads, epochs, patience):
    """A look after each epoch until none is better; all that `folder` has seen, where the next call goes on. `epochs`: more."""
    log = folder / "curve.jsonl"
    if epochs:
        told = _told("sampled", threads, every=steps_an_epoch(beauty), patience=patience, epochs=epochs)
        with log.open("a") as file:
            _ran(python, beauty, folder, told, lambda line: file.write(line) and file.flush())
    return [json.loads(line) for line in log.read_text().splitlines()]


def _told(loss, threads, *, steps=0, every=0, patience=1, epochs=1):
    """What rectools_fit.py is told. `steps`: 0 trains all epochs; `every`: 0 never looks."""
    told = RECIPE | {"loss": "softmax" if loss == "full" else "sampled_softmax", "threads": threads, "seed": 1}
    return told | {"steps": steps, "every": every, "patience": patience, "epochs": epochs}


def _ran(python, beauty, folder, told, keep=None):
    """JSON lines of a run; those of looks are kept as they come."""
    beauty.write(folder)
    with (folder / "errors.log").open("w+") as errors:
        command = [python, str(SCRIPT), str(folder), json.dumps(told)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=folder) as process:
            lines = [_heard(line, keep) for line in process.stdout]
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"RecTools ended with {process.returncode}: {errors.read()[-2000:]}")
    return lines


def _heard(line, keep):
    found = json.loads(line)
    if "ndcg" in found:
        say(f"  RecTools, step {found['step']}: NDCG@10 {found['ndcg']:.4f} after {found['wall']:.1f} s")
        if keep:
            keep(line)
    return found
