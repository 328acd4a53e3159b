"""Rankers over one set of candidates: AUC, GAUC, log loss, NDCG and share of spend on the test window, with intervals.

    python benchmarks/ranking.py --dataset DATASET --work FOLDER [--seeds 7 8 9] [--rankers dnn din ...] [--out FILE] \\
        [--against dnn] [--model '{"ranker": {"windows": 1}}']

DATASET is the folder of a dataset artefact (`Dataset.save`). Every ranker of every seed learns from the same pairs of the
windows before the test, made with one SASRec; the pairs of the test window are never learnt from. One JSON line a ranker:
means over the seeds, and the paired difference from one of them with its interval over users.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.config import ModelConfig, TrainerConfig
from recloop.data.dataset import Dataset
from recloop.data.features import CONTEXT, NAMES
from recloop.data.truth import Truth
from recloop.evaluation.intervals import draws
from recloop.evaluation.metrics import per_user
from recloop.models import din_fit, mmoe_fit
from recloop.models.candidates import Candidates
from recloop.models.clicks import Memory
from recloop.models.clicks_fit import Pairs, pairs_before, pairs_of
from recloop.models.encoder import Encoder, session
from recloop.models.ranker import fit_ranker
from recloop.models.task import Task, past_of
from recloop.models.two_stage import Sources, _ranked
from recloop.models.two_stage_fit import fit_encoder, sources

F32, F64 = NDArray[np.float32], NDArray[np.float64]
K, TIMES, CONFIDENCE = 10, 500, 0.95
EVERY = list(range(len(NAMES)))
PRICE = ("price", "price_now", "price_paid", "price_against_user")
DISCOUNT = ("discount", "discount_28", "user_discount")
VISIT = ("since_visit", "user_recent_28")


@dataclass(frozen=True)
class Bench:
    """What every ranker learns from and is judged by."""

    task: Task
    parts: Sources
    learnt: Pairs
    test: Pairs
    truth: Truth


Ranking = Callable[[Bench, Task], F32]
"""fit on bench.learnt with the task's seed -> logits of bench.test"""


def dnn(bench: Bench, task: Task, *, without: tuple[str, ...] = (), **changes: object) -> F32:
    """The ranker of `two_stage`, on the pairs as they are sampled already."""
    columns = [n for n in EVERY if NAMES[n] not in without]
    learnt = replace(bench.learnt, features=bench.learnt.features[:, columns])
    config = task.config.ranker.model_copy(update={"unseen_share": 1.0} | changes)
    fit_ranker(learnt, config=config, trainer=task.trainer, seed=task.seed, out=task.out, work=task.work)
    run = session(task.out / "ranker.onnx", threads=task.trainer.threads)
    found: F32 = run.run(["logit"], {"features": bench.test.features[:, columns]})[0]
    return found


def din(bench: Bench, task: Task, **changes: object) -> F32:
    """Attention over the memory."""
    config = task.config.model_copy(update={"din": task.config.din.model_copy(update=changes)})
    return din_fit.predicted(din_fit.fit_din(replace(task, config=config), bench.learnt, bench.parts), bench.test)


def multi_task(bench: Bench, task: Task, *, only: str = "value") -> F32:
    """Log of the expected value, or the logits of one task."""
    net = mmoe_fit.fit_mmoe(task, bench.learnt, EVERY)
    if only != "value":
        return mmoe_fit.predicted(net, bench.test)[:, mmoe_fit.TASKS.index(only)]
    return mmoe_fit.log_values(net, bench.test)


RANKERS: dict[str, Ranking] = {
    "dnn": dnn,
    "dnn_spend_weighted": lambda b, t: dnn(b, t, spend_weight=1.0),
    "din": din,
    "din_with_ids": lambda b, t: din(b, t, ids=True, dropout=0.0),
    "din_with_evolution": lambda b, t: din(b, t, evolution=True),
    "multi_task": multi_task,
    "multi_task_purchase": lambda b, t: multi_task(b, t, only="purchase"),
    "multi_task_new": lambda b, t: multi_task(b, t, only="new"),
    "dnn_without_context": lambda b, t: dnn(b, t, without=CONTEXT),
    "dnn_without_price": lambda b, t: dnn(b, t, without=PRICE),
    "dnn_without_discount": lambda b, t: dnn(b, t, without=DISCOUNT),
    "dnn_without_visit": lambda b, t: dnn(b, t, without=VISIT),
}


def prepare(dataset: Dataset, work: Path, config: ModelConfig, seed: int) -> Bench:
    """Candidates, features and labels; kept in `work` and read back from there."""
    out = work / "shared"
    out.mkdir(parents=True, exist_ok=True)
    task = Task(dataset, dataset.test, config, TrainerConfig(threads=1), seed, out, work)
    windows = task.earlier(config.ranker.windows)
    there = (out / "encoder.onnx").exists()
    encoder = Encoder.load(out, threads=1) if there else fit_encoder(task, windows[-1])
    parts = sources(dataset, task.cut, config, encoder)
    truth = dataset.truth(task.cut)
    if not (out / "test.npz").exists():
        save(out / "learnt.npz", pairs_before(task, windows, encoder, EVERY, config.din.length))
        past = past_of(dataset, task.cut, truth.users)
        save(out / "test.npz", pairs_of(past, truth, parts, columns=EVERY, length=config.din.length))
    return Bench(task, parts, read(out / "learnt.npz"), read(out / "test.npz"), truth)


def save(path: Path, pairs: Pairs) -> None:
    """Pairs -> one file of arrays."""
    flat = {f.name: getattr(pairs, f.name) for f in fields(pairs) if f.name != "memory"}
    np.savez(path, **flat, memory_items=pairs.memory.items, memory_facts=pairs.memory.facts)


def read(path: Path) -> Pairs:
    """What `save` wrote."""
    with np.load(path, allow_pickle=False) as found:
        flat = {name: found[name] for name in found.files}
    return Pairs(memory=Memory(flat.pop("memory_items"), flat.pop("memory_facts")), **flat)


def per_row(bench: Bench, logits: F32) -> dict[str, F64]:
    """One value a user of each metric; nan where it has none. [n]"""
    test, truth = bench.test, bench.truth
    found: dict[str, F64] = {}
    for view, kept in (("all", np.ones(len(test), dtype=bool)), ("new", test.unseen)):
        pairs = Candidates(test.rows[kept], test.items[kept], np.zeros(np.count_nonzero(kept), dtype=np.uint8))
        items = _ranked(pairs, logits[kept], len(truth), K).items
        wanted = truth.new if view == "new" else np.ones(len(truth.items), dtype=bool)
        values = per_user(items, truth.rows[wanted], truth.items[wanted], truth.spend[wanted])
        found |= {f"ndcg_{view}": values["ndcg"], f"spend_share_{view}": values["spend_share"]}
    return found | {"gauc": user_auc(test.rows, test.labels, logits, len(truth))}


def user_auc(rows: NDArray[np.int64], labels: F32, logits: F32, n: int) -> F64:
    """AUC of each row, nan where it has one label only (its mean weighted by pairs is GAUC, Zhou et al. 2018, section 5). [n]"""
    order = np.lexsort((logits, rows))
    starts = np.searchsorted(rows[order], rows[order])
    rank = np.arange(len(order)) - starts + 1.0
    positive = np.bincount(rows, weights=labels, minlength=n)
    negative = np.bincount(rows, minlength=n) - positive
    total = np.bincount(rows[order], weights=rank * labels[order], minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: F64 = (total - positive * (positive + 1) / 2) / (positive * negative)
    return found


def auc(logits: F32, labels: F32, weights: F64) -> float:
    """AUC of weighted pairs that are sorted by their logits; ties count by their order."""
    positive, negative = weights * labels, weights * (1 - labels)
    return float(positive @ np.cumsum(negative) / (positive.sum() * negative.sum()))


def log_losses(logits: F32, labels: F32) -> F64:
    """Loss of each pair. [pairs]"""
    wide = logits.astype(np.float64)
    return np.logaddexp(0, wide) - labels * wide


def resampled(bench: Bench, logits: list[F32]) -> dict[str, F64]:
    """Every metric, the mean over seeds; first its value, then its value in each resample of users. [1 + TIMES]"""
    test, n = bench.test, len(bench.truth)
    ones = np.ones((1, n))
    weights = np.concatenate([ones, *draws(n, times=TIMES, seed=1)])
    size = np.bincount(test.rows, minlength=n).astype(float)
    found: dict[str, list[F64]] = {}
    for own in logits:
        rows = per_row(bench, own)
        for name, values in rows.items():
            share = size if name == "gauc" else np.ones(n)
            known = np.isfinite(values) * share
            found.setdefault(name, []).append((weights @ (np.nan_to_num(values) * known)) / (weights @ known))
        lost = np.bincount(test.rows, weights=log_losses(own, test.labels), minlength=n)
        found.setdefault("log_loss", []).append((weights @ lost) / (weights @ size))
        for name, kept in (("auc", np.ones(len(test), dtype=bool)), ("auc_new", test.unseen)):
            order = np.flatnonzero(kept)[np.argsort(own[kept], kind="stable")]
            labels, users = test.labels[order].astype(float), test.rows[order]
            found.setdefault(name, []).append(np.array([auc(own, labels, w[users]) for w in weights[:101]]))
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def interval(values: F64) -> list[float]:
    """Value and its bounds."""
    tail = 100 * (1 - CONFIDENCE) / 2
    return [round(float(v), 5) for v in (values[0], *np.percentile(values[1:], [tail, 100 - tail]))]


def main() -> None:
    """Fit, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--rankers", nargs="+", default=list(RANKERS), choices=list(RANKERS))
    parser.add_argument("--against", default="dnn", choices=list(RANKERS), help="what differences are from")
    parser.add_argument("--model", type=json.loads, default={}, help="JSON of the section `model`")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    bench = prepare(Dataset.load(options.dataset), options.work, ModelConfig(**options.model), options.seeds[0])
    base: dict[str, F64] = {}
    for name in dict.fromkeys([options.against, *options.rankers]):
        start = time.monotonic()
        logits = [fitted(bench, name, seed, options.work) for seed in options.seeds]
        seconds = (time.monotonic() - start) / len(options.seeds)
        found = resampled(bench, logits)
        base = base or found
        line = {
            "ranker": name,
            "n": len(bench.truth),
            "pairs": len(bench.test),
            "seeds": options.seeds,
            "seconds_a_fit": round(seconds, 1),
            "metrics": {metric: interval(values) for metric, values in found.items()},
            f"minus_{options.against}": {metric: interval(values - base[metric]) for metric, values in found.items()},
        }
        written = json.dumps(line)
        sys.stdout.write(written + "\n")
        if options.out:
            with options.out.open("a") as file:
                file.write(written + "\n")


def fitted(bench: Bench, name: str, seed: int, work: Path) -> F32:
    """Logits of the test pairs by one ranker and seed; kept in `work`."""
    place = work / f"{name}_{seed}"
    if not (place / "logits.npy").exists():
        place.mkdir(exist_ok=True)
        logits = RANKERS[name](bench, replace(bench.task, seed=seed, out=place, work=place))
        np.save(place / "logits.npy", logits)
    found: F32 = np.load(place / "logits.npy", allow_pickle=False)
    return found


if __name__ == "__main__":
    main()
