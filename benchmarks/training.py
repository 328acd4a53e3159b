"""SASRec on Amazon Beauty beside RecTools': seconds an epoch, and seconds to the same quality, in one run.

RECLOOP_BENCH_RECTOOLS=/path/to/python recloop bench training
One block, one head, dimension 64, length 50, batch 128. RecTools draws 256 negatives for each position, here 1,024 are
shared by a batch. Seconds to the same NDCG@10 on the validation visit are steps times the seconds of a step as timed
without looks, ours with what comes before the first step. Training RecTools to its plateau takes hours: --peer-folder keeps
it, so that it can be had in parts. Wall seconds are worth comparing on a quiet machine only.
"""

import tempfile
from pathlib import Path

import learning
import peer
from beauty import load
from contract import parser, peak_mb, say, told
from roofline import flops, matmul_rate

from recloop.config import SASRecConfig

SPEED = {"length": 50, "dim": 64, "blocks": 1, "heads": 1, "batch": 128, "dropout": 0.2, "horizon": 1, "epochs": 1}
SPEED |= {"negatives": 1024, "draw": "uniform", "fast": True}
RECIPE = SPEED | {"dropout": 0.4, "lr": 0.002, "first": "cooccurrence", "first_scale": 0.1, "epochs": 20, "patience": 6}
SEEDS = (1, 2, 3)
PEER_STEPS = 20
"""of RecTools that are timed; all of them are padded to the same size"""


def epochs(beauty, asked, python):
    """Loss -> seconds an epoch of both, and what share of the machine's matrix products our step is."""
    return {loss: epoch(beauty, loss, asked, python) for loss in ("sampled", "full")}


def epoch(beauty, loss, asked, python):
    """One epoch of ours, and some steps of RecTools'."""
    say(f"One epoch, {loss} softmax")
    config = SASRecConfig(**SPEED, loss=loss)
    _, timed, net = learning.learn(beauty, config, seed=1, threads=asked.threads, judged=False)
    found = {"recloop": side(timed.a_step, timed.steps) | {"peak_mb": peak_mb()}}
    found["matmul"] = share(timed, net)
    if python:
        steps = 4 if asked.quick else asked.peer_steps
        spent = peer.timed(python, beauty, loss=loss, threads=asked.threads, steps=steps)
        found["rectools"] = side(spent, peer.steps_an_epoch(beauty)) | {"peak_mb": spent["peak_mb"]}
        found |= {name: ratio(found, clock) for name, clock in (("ratio", "seconds"), ("cpu_ratio", "cpu_seconds"))}
    return found


def side(a_step, steps):
    """Seconds an epoch of one of the two."""
    return {
        "seconds": round(a_step["wall"] * steps, 3),
        "cpu_seconds": round(a_step["cpu"] * steps, 3),
        "steps": steps,
        "timed_steps": a_step["timed"],
    }


def ratio(found, clock):
    """How many times RecTools' epoch takes ours."""
    return round(found["rectools"][clock] / found["recloop"][clock], 1)


def share(timed, net):
    """The part of a step's processor time that its matrix products would take at the rate of a great one."""
    rate, wall_rate = matmul_rate()
    made, spent = flops(timed.plan, net.train()), timed.a_step["cpu"]
    return {
        "gflop_a_step": round(made / 1e9, 2),
        "gflop_per_second": round(wall_rate / 1e9, 1),
        "share": round(made / spent / rate, 3),
    }


def quality(beauty, asked, python):
    """Curves of both, and the first step of each at which the lesser of the two best scores is reached."""
    config = SASRecConfig(**(RECIPE | ({"epochs": 3} if asked.quick else {})))
    found = {"recipe": config.model_dump(mode="json"), "recloop": []}
    for seed in SEEDS[:1] if asked.quick else SEEDS:
        say(f"Recloop to its plateau, seed {seed}")
        curve, timed, _ = learning.learn(beauty, config, seed=seed, threads=asked.threads)
        found["recloop"].append({"seed": seed, "before": round(float(timed.marks[0][0]), 2), "curve": curve})
    theirs = peer_curve(beauty, asked, python)
    return found | ({"rectools": {"recipe": peer.RECIPE, "curve": theirs}} if theirs else {})


def peer_curve(beauty, asked, python):
    """RecTools' looks, made now or kept in a folder; empty where there is neither."""
    if python is None or (asked.quick and not asked.peer_folder):
        return []
    say("RecTools to its plateau")
    with tempfile.TemporaryDirectory() as scratch:
        told = {"threads": asked.threads, "epochs": asked.peer_epochs, "patience": asked.peer_patience}
        return peer.curve(python, beauty, asked.peer_folder or Path(scratch), **told)


def best(curve):
    """The best score of a curve."""
    return max(look["ndcg"] for look in curve)


def first(curve, target):
    """The first step at which a score is reached."""
    return next(look["step"] for look in curve if look["ndcg"] >= target)


def raced(curves, timing):
    """Seconds to the same NDCG@10: the lesser of the best of RecTools and the worst seed's best of ours."""
    ours, theirs = curves["recloop"], curves["rectools"]["curve"]
    target = min(best(theirs), *(best(run["curve"]) for run in ours))
    a_step = {name: timing[name]["seconds"] / timing[name]["steps"] for name in ("recloop", "rectools")}
    took = [run["before"] + first(run["curve"], target) * a_step["recloop"] for run in ours]
    last = first(theirs, target) * a_step["rectools"]
    mean = sum(took) / len(took)
    return {
        "target_ndcg10": target,
        "recloop_seconds": [round(seconds, 1) for seconds in took],
        "rectools_seconds": round(last, 1),
        "ratio": round(last / mean, 1),
        "best_ndcg10": {"recloop": [best(run["curve"]) for run in ours], "rectools": best(theirs)},
    }


def rows(found):
    """The result as a table's rows."""
    for loss, one in found["epoch"].items():
        theirs = one.get("rectools", {})
        yield (
            f"seconds an epoch, {loss} softmax",
            str(one["recloop"]["seconds"]),
            str(theirs.get("seconds", "-")),
            str(one.get("ratio", "-")),
        )
        yield f"share of the matmul rate, {loss}", f"{one['matmul']['share']:.0%}", "-", "-"
        yield f"peak MB, {loss}", str(one["recloop"]["peak_mb"]), str(theirs.get("peak_mb", "-")), "-"
    if race := found.get("to_quality"):
        ours = ", ".join(map(str, race["recloop_seconds"]))
        what = f"seconds to NDCG@10 {race['target_ndcg10']:.4f}"
        yield what, ours, str(race["rectools_seconds"]), str(race["ratio"])


def main():
    """Measure and tell."""
    asking = parser(__doc__)
    asking.add_argument("--threads", type=int, default=2)
    asking.add_argument("--peer-steps", type=int, default=PEER_STEPS, help="0 is the whole epoch")
    asking.add_argument("--peer-folder", type=Path, help="where RecTools' training is kept, and goes on when run again")
    asking.add_argument(
        "--peer-epochs", type=int, default=200, help="more epochs of RecTools; 0 takes what the folder has"
    )
    asking.add_argument("--peer-patience", type=int, default=10, help="epochs without a better score")
    asked = asking.parse_args()
    python, beauty = peer.python(), load(SPEED["length"])
    found = {"benchmark": "training", "set": "beauty", "n": len(beauty.validation.targets), "threads": asked.threads}
    found["epoch"] = epochs(beauty, asked, python)
    found["curves"] = quality(beauty, asked, python)
    if "rectools" in found["curves"] and python:
        found["to_quality"] = raced(found["curves"], found["epoch"]["sampled"])
    told(found, list(rows(found)), ("", "Recloop", "RecTools", "ratio"), asked)


if __name__ == "__main__":
    main()
