"""Ratings by random 5-fold cross-validation: RMSE and MAE, folds' spread, beside the baselines.

python benchmarks/ratings.py DATA --set ml-100k --seeds 3 --json results.jsonl
DATA holds ml-100k.inter, .user and .item (RecBole's atomic files), or ratings.csv and movies.csv (ml-latest-small).
With --folds-out FILE the folds are written as .npy for a peer to run on the same ones.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from recloop.config import DNNConfig, TrainerConfig
from recloop.evaluation.ratings import errors, folds
from recloop.models.dnn_fit import fit_dnn
from recloop.models.rating import Biases, Ratings, Sides
from recloop.models.rating_factors import fit_factors

MODELS = ("biases", "factors", "dnn", "dnn_hybrid")


def ml_100k(folder):
    """Ratings, sides and the scale."""

    def read(name):
        frame = pl.read_csv(folder / f"ml-100k.{name}", separator="\t", quote_char=None, infer_schema=False)
        return frame.rename({column: column.split(":")[0] for column in frame.columns})

    users, items, events = read("user"), read("item"), read("inter")
    age = users["age"].cast(pl.Float32).to_numpy() / 50
    people = np.column_stack([age, one_hot(users["gender"])[:, :1], one_hot(users["occupation"])])
    year = items["release_year"].cast(pl.Float32, strict=False).fill_null(1995).to_numpy()
    films = np.column_stack([(year - 1990) / 20, multi_hot(items["class"].fill_null(""), " ")])
    values = events["rating"].cast(pl.Float64).to_numpy()
    times = events["timestamp"].cast(pl.Float64).cast(pl.Int64).to_numpy()
    return Ratings(
        rows(events["user_id"], users["user_id"]), rows(events["item_id"], items["item_id"]), values, times
    ), Sides(people.astype(np.float32), films.astype(np.float32))


def ml_latest_small(folder):
    """Ratings, sides and the scale."""
    events = pl.read_csv(folder / "ratings.csv")
    items = pl.read_csv(folder / "movies.csv")
    year = items["title"].str.extract(r"\((\d{4})\)\s*$").cast(pl.Float32).fill_null(1995).to_numpy()
    films = np.column_stack([(year - 1990) / 20, multi_hot(items["genres"], "|")])
    own = events["userId"].unique().sort()
    return Ratings(
        rows(events["userId"], own),
        rows(events["movieId"], items["movieId"]),
        events["rating"].to_numpy(),
        events["timestamp"].to_numpy(),
    ), Sides(np.zeros((len(own), 0), np.float32), films.astype(np.float32))


def rows(values, known):
    """Row of each value in `known`."""
    table = pl.DataFrame({"id": known, "row": np.arange(len(known))})
    return pl.DataFrame({"id": values}).join(table, on="id", how="left", maintain_order="left")["row"].to_numpy()


def one_hot(values):
    """A column of ones for each value."""
    return values.to_dummies().to_numpy().astype(np.float32)


def multi_hot(values, mark):
    """A column of ones for each word."""
    words = values.str.split(mark)
    names = sorted(set(words.explode().to_list()) - {"", None})
    return np.column_stack([words.list.contains(name).to_numpy() for name in names]).astype(np.float32)


def predictions(name, past, future, sides, seed, args):
    """Fit one model on `past` and predict `future`."""
    scale = past.values.min(), past.values.max()
    if name == "biases":
        model = Biases.fit(past, sides.shape)
    elif name == "factors":
        config = DNNConfig()
        model = fit_factors(
            past, sides.shape, dim=config.factors, rounds=config.rounds, burn=config.burn, every=2, seed=seed
        )
    else:
        own = {"factors": 0, "embedding": 16} if name == "dnn" else {}
        config = DNNConfig.model_validate(own | json.loads(args.settings))
        trainer = TrainerConfig(threads=1, checkpoint_seconds=1e9)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            model = fit_dnn(past, sides, config=config, trainer=trainer, seed=seed, out=folder, work=folder)
    return np.clip(model.predict(future.users, future.items, future.times), *scale)


def main():
    """Cross-validate, print and append JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--set", choices=("ml-100k", "ml-latest-small"), required=True)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument(
        "--fold", type=int, action="append", help="number of a fold to run, 0 to 4; all of them by default"
    )
    parser.add_argument("--settings", default="{}", help="JSON of DNNConfig")
    parser.add_argument("--folds-out", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    ratings, sides = {"ml-100k": ml_100k, "ml-latest-small": ml_latest_small}[args.set](args.data)
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        masks = list(folds(len(ratings), 5, seed=seed))
        if args.folds_out:
            table = np.column_stack([ratings.users, ratings.items, ratings.values, np.argmax(masks, axis=0)])
            np.save(args.folds_out.with_suffix(f".{seed}.npy"), table)
            continue
        for name in args.model or MODELS:
            run(name, ratings, sides, [masks[n] for n in args.fold or range(5)], seed, args)


def run(name, ratings, sides, masks, seed, args):
    """One model over the folds."""
    start = time.process_time()
    found = []
    for mask in masks:
        future = ratings.take(mask)
        found.append(errors(predictions(name, ratings.take(~mask), future, sides, seed, args), future.values))
    rmse, mae = (np.array([part[metric] for part in found]) for metric in ("rmse", "mae"))
    seconds = round(time.process_time() - start, 1)
    print(  # noqa: T201
        f"{args.set} {name:12} seed {seed}  RMSE {rmse.mean():.4f} +- {rmse.std(ddof=1) if len(rmse) > 1 else 0:.4f}  "
        f"MAE {mae.mean():.4f}  {seconds} CPU s",
        flush=True,
    )
    if args.json:
        line = {
            "set": args.set,
            "protocol": "random 5-fold",
            "model": name,
            "rmse": rmse.mean(),
            "mae": mae.mean(),
            "rmse_folds": rmse.tolist(),
            "mae_folds": mae.tolist(),
            "n": len(ratings),
            "seed": seed,
            "folds": args.fold or list(range(5)),
            "cpu_seconds": seconds,
            "settings": json.loads(args.settings),
            "date": datetime.now(UTC).date().isoformat(),
        }
        with args.json.open("a") as file:
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
