"""Neural collaborative filtering on MovieLens 1M: 1 + 99 given negatives (He et al. 2017) beside the full ranking.

python benchmarks/ncf.py DATA --kind mf --kind neumf --seeds 3 --json results.jsonl
DATA holds train-pairs.tsv.gz, ml-1m.test.rating and ml-1m.test.negative; with --tune, one random pair of each user is held
out of the training pairs, with 99 negatives of its own, and the test is not read.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from ncf_floors import EXACT, FLOORS
from safetensors.numpy import load_file
from scipy import sparse

from recloop.config import ModelConfig, TrainerConfig
from recloop.evaluation.sampled import Sampled, full_metrics, sampled_metrics
from recloop.models.ncf import NCF, WEIGHTS
from recloop.models.ncf_fit import Job, learnt, write

K, ROWS = 10, 512


def read(folder):
    """Training pairs [users, items] coded from 1, and the test's candidates."""
    pairs = pl.read_csv(folder / "train-pairs.tsv.gz", separator="\t").to_numpy().astype(np.int64) + 1
    test = np.loadtxt(folder / "ml-1m.test.rating", dtype=np.int64, usecols=(0, 1)) + 1
    negatives = np.loadtxt(folder / "ml-1m.test.negative", dtype=np.int64, usecols=range(1, 100), delimiter="\t") + 1
    assert (test[:, 0] == np.arange(1, len(test) + 1)).all()
    return pairs, Sampled(test[:, 1].astype(np.int32), negatives.astype(np.int32))


def held_out(pairs, n_codes, seed=99):
    """One random pair of each user out of the training pairs, with 99 negatives that the user did not take."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(pairs)), pairs[:, 0]))
    first = np.concatenate([[True], np.diff(pairs[order, 0]) > 0])
    seen = matrix(pairs, n_codes).toarray()[1:] > 0
    seen[:, 0] = True
    draws = np.where(seen, -1, rng.random(seen.shape))
    negatives = np.argpartition(-draws, 99, axis=1)[:, :99]
    return pairs[order[~first]], Sampled(pairs[order[first], 1].astype(np.int32), negatives.astype(np.int32))


def matrix(pairs, n_codes):
    """Pairs -> ones. [n_users + 1, n_codes]"""
    shape = (pairs[:, 0].max() + 1, n_codes)
    return sparse.csr_matrix((np.ones(len(pairs), np.float32), (pairs[:, 0], pairs[:, 1])), shape=shape)


def judge(score, taken, sampled):
    """Mean metrics of scores(users) under both rankings, and their standard errors over users."""
    parts = []
    for start in range(1, taken.shape[0], ROWS):
        users = np.arange(start, min(start + ROWS, taken.shape[0]))
        scores, at = score(users), users - 1
        own = Sampled(sampled.positives[at], sampled.negatives[at])
        few = sampled_metrics(scores, own, k=K)
        full = full_metrics(scores, own.positives, taken[users].toarray() > 0, k=K)
        parts.append({f"sampled_{n}": v for n, v in few.items()} | {f"full_{n}": v for n, v in full.items()})
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {n: float(v.mean()) for n, v in found.items()} | {
        f"{n}_error": float(v.std() / len(v) ** 0.5) for n, v in found.items()
    }


def network(kind, taken, sampled, args, seed):
    """Fit one model; its figures with learnt users, and with users folded in from the history."""
    changes = {kind: json.loads(args.set)} if args.set else {}
    for part in args.also:
        name, text = part.split("=", 1)
        changes[name] = json.loads(text)
    config = ModelConfig.model_validate(changes)
    start = time.process_time()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        job = Job(config, TrainerConfig(threads=args.threads, checkpoint_seconds=1e9), seed, folder)
        net, _ = learnt(taken, kind, job)
        seconds = time.process_time() - start
        explained = write(net, taken, folder)
        model = NCF(load_file(folder / WEIGHTS))
    found = judge(lambda users: model.scores_of(model.known(users)), taken, sampled)
    rows = folded_rows(taken, model.fold)
    inside = judge(lambda users: model.scores_of(rows[users]), taken, sampled)
    settings = getattr(config, kind).model_dump(mode="json")
    return (
        found
        | {f"folded_{n}": v for n, v in inside.items()}
        | {"fold_r2": explained, "cpu_seconds": round(seconds, 1), "settings": settings}
    )


def folded_rows(taken, fold):
    """Vectors of every user from the history alone, as the service has them."""
    norm = np.sqrt(np.maximum(np.diff(taken.indptr), 1))[:, None]
    return ((taken @ fold) / norm).astype(np.float32)


def main():
    """Fit, judge, print and append JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--kind", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", help="JSON settings of the kind")
    parser.add_argument(
        "--also", action="append", default=[], help="part=JSON settings of another kind, for NeuMF's halves"
    )
    parser.add_argument("--tune", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    pairs, sampled = read(args.data)
    n_codes = int(max(pairs[:, 1].max(), sampled.positives.max(), sampled.negatives.max())) + 1
    if args.tune:
        pairs, sampled = held_out(pairs, n_codes)
    taken = matrix(pairs, n_codes)
    for kind in args.kind or [*FLOORS, "mf", "gmf", "mlp", "neumf"]:
        for seed in range(args.first_seed, args.first_seed + (1 if kind in EXACT else args.seeds)):
            one = floor if kind in FLOORS else network
            tell(kind, seed, one(kind, taken, sampled, args, seed), sampled, args)


def floor(kind, taken, sampled, args, seed):
    """Fit what is no network; its figures."""
    settings, start = json.loads(args.set or "{}"), time.process_time()
    score = FLOORS[kind](taken, seed=seed, **settings)
    spent = {"cpu_seconds": round(time.process_time() - start, 1), "settings": settings}
    return judge(score, taken, sampled) | spent


def tell(kind, seed, figures, sampled, args):
    """One line to read and one to keep."""
    names = (
        "sampled_hit_rate",
        "sampled_ndcg",
        "full_hit_rate",
        "full_ndcg",
        "folded_sampled_hit_rate",
        "folded_full_ndcg",
    )
    shown = "  ".join(f"{name} {figures[name]:.4f}" for name in names if name in figures)
    print(f"{kind:10} seed {seed}  {shown}  {figures.get('cpu_seconds', 0)} CPU s", flush=True)  # noqa: T201
    if args.json:
        line = {
            "set": "ncf-ml-1m",
            "protocol": f"{sampled.candidates}; full catalogue without seen items",
            "model": kind,
            "tuning": args.tune,
            "n": len(sampled.positives),
            "repeated": sampled.repeated,
            "seed": seed,
            "threads": args.threads,
            "date": datetime.now(UTC).date().isoformat(),
        }
        with args.json.open("a") as file:
            file.write(json.dumps(line | figures) + "\n")


if __name__ == "__main__":
    main()
