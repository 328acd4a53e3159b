"""Published files of sequences, leave-one-out: the last item is the test, the one before it the validation; full ranking.

python benchmarks/leave_one_out.py Beauty.txt --attributes Beauty_item2attributes.json --kind hybrid \
    --model '{"sasrec": {"length": 50, "horizon": 1}}' --seeds 1 2 3 --json results.jsonl
Parts are learnt before the validation item, settings and weights on it; its item is in the history of the test. Items of
the history are left out of the ranking. --refit learns the counts again up to the test: another protocol, named so.
"""

import argparse
import json
import shlex
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from recloop.config import DataConfig, ModelConfig, SplitConfig, TrainerConfig
from recloop.data import split
from recloop.data.sources.collect import collect
from recloop.models import family
from recloop.models.hybrid import Hybrid, counted_of, parts_of
from recloop.models.task import Task, past_of

K = 10


def dataset(file, attributes):
    """Sequences, with the attributes of each item as its category where a file names them."""
    events, items = collect(DataConfig(source="sequences", events=str(file)))
    made = split.build(events, items, SplitConfig(kind="leave_last_out", min_item_events=1))
    if attributes is None:
        return made
    held = json.loads(attributes.read_text())
    words = [" > ".join(f"a{a}" for a in held.get(item, [])) for item in made.catalogue["item_id"]]
    return replace(made, catalogue=made.catalogue.with_columns(category=pl.Series(words, dtype=pl.String)))


def fitted(data, config, seed, threads, place):
    """Fit on what lies before the validation item -> the recommender, and seconds."""
    validation = data.windows(1)[1]
    out, work = place / "out", place / "work"
    out.mkdir()
    work.mkdir()
    task = Task(
        dataset=data,
        cut=validation,
        watch=validation,
        config=config,
        trainer=TrainerConfig(threads=threads),
        seed=seed,
        out=out,
        work=work,
    )
    start = time.perf_counter()
    metrics = family.fit(config.kind, task)
    return family.load(out, threads=threads), time.perf_counter() - start, metrics


def refitted(data, model, config, out):
    """The same weights and sequence models over counts up to the test."""
    counted = counted_of(past_of(data, data.test), n_codes=model.n_codes, config=config.item_to_item)
    return Hybrid(parts_of(out, config, counted, threads=1), model.blend, counted.tie)


def judge(data, model):
    """Hit and gain at 10 of every user. [2, n]"""
    truth = data.truth(data.test)
    found = model.recommend(past_of(data, data.test, truth.users), k=K, exclude_seen=True).items
    hit = found == np.where(truth.items > 0, truth.items, -1)[:, None]
    return np.stack([hit.any(axis=1), (hit / np.log2(np.arange(K) + 2)).sum(axis=1)])


def told(args, config, protocol, runs, seconds, metrics):
    """One line of results: mean over users and seeds, 95 % over users, spread over seeds."""
    table = np.stack(runs)  # [seeds, 2, n]
    users = table.mean(axis=0)
    line = {"set": args.name or args.file.stem, "protocol": protocol, "model": config.kind, "n": users.shape[1]}
    for at, name in enumerate(("hr10", "ndcg10")):
        line |= {
            name: round(float(users[at].mean()), 5),
            f"{name}_interval": round(float(1.96 * users[at].std() / users.shape[1] ** 0.5), 5),
            f"{name}_seeds": [round(float(run[at].mean()), 5) for run in table],
        }
    line |= {"seeds": args.seeds[: len(runs)], "seconds": [round(s) for s in seconds], "fit": metrics}
    line |= {"command": shlex.join(sys.argv), "date": datetime.now(UTC).isoformat(timespec="minutes")}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    if args.json:
        with args.json.open("a") as file:
            file.write(json.dumps(line) + "\n")


def main():
    """Fit, judge, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--attributes", type=Path)
    parser.add_argument("--name", default="")
    parser.add_argument("--kind", default="hybrid")
    parser.add_argument("--model", type=json.loads, default={})
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--refit", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    data, config = dataset(args.file, args.attributes), ModelConfig(kind=args.kind, **args.model)
    strict, again, seconds = [], [], []
    for seed in args.seeds:
        with tempfile.TemporaryDirectory() as folder:
            model, took, metrics = fitted(data, config, seed, args.threads, Path(folder))
            seconds.append(took)
            strict.append(judge(data, model))
            if args.refit:
                again.append(judge(data, refitted(data, model, config, Path(folder) / "out")))
        told(args, config, "leave-one-out, full ranking", strict, seconds, metrics)
    if again:
        told(
            args,
            config,
            "leave-one-out, full ranking, counts refitted on train and validation",
            again,
            seconds,
            metrics,
        )


if __name__ == "__main__":
    main()
