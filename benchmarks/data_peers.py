"""One tool's way from a file of events to the last 200 of each user and windows of each item: `data_peers.py TOOL IN OUT`.

Every tool reads the same Parquet and writes the same two tables as its users would write it: no trick of ours, no
option that its first page does not name. `bound` only reads, sorts by user and time, and writes. Prints one JSON object.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

LAST = 200
WINDOWS = (7, 28, 90)


def with_pandas(source: Path, out: Path) -> dict[str, int]:
    import pandas as pd

    events = pd.read_parquet(source)
    events = events.sort_values(["user_id", "time"], kind="stable")
    tail = events.groupby("user_id", sort=False).tail(LAST)
    sequences = tail.groupby("user_id", sort=False)[["item_id", "time"]].agg(list)
    sequences.to_parquet(out / "sequences.parquet")
    age = events["time"].max() - events["time"]
    recent = {f"last{d}": (age < pd.Timedelta(days=d)).astype("int32") for d in WINDOWS}
    grouped = events.assign(**recent).groupby("item_id")
    columns = {name: (name, "sum") for name in recent}
    windows = grouped.agg(events=("user_id", "size"), users=("user_id", "nunique"), price=("price", "mean"), **columns)
    windows.to_parquet(out / "windows.parquet")
    return _found(len(sequences), len(tail), windows["last28"].sum())


def with_polars(source: Path, out: Path) -> dict[str, int]:
    import polars as pl

    events = pl.scan_parquet(source)
    sequences = (
        events.sort("user_id", "time").group_by("user_id").agg(pl.col("item_id").tail(LAST), pl.col("time").tail(LAST))
    ).collect(engine="streaming")
    sequences.write_parquet(out / "sequences.parquet")
    age = pl.col("time").max() - pl.col("time")
    windows = (
        events.with_columns(*((age < pl.duration(days=d)).alias(f"last{d}") for d in WINDOWS))
        .group_by("item_id")
        .agg(
            pl.len().alias("events"),
            pl.col("user_id").n_unique().alias("users"),
            pl.col("price").mean(),
            *(pl.col(f"last{d}").sum() for d in WINDOWS),
        )
    ).collect(engine="streaming")
    windows.write_parquet(out / "windows.parquet")
    return _found(sequences.height, sequences["item_id"].list.len().sum(), windows["last28"].sum())


def with_duckdb(source: Path, out: Path) -> dict[str, int]:
    import duckdb

    base = duckdb.connect()
    base.execute("SET threads = 2")
    base.execute(f"""COPY (
        SELECT user_id, list(item_id ORDER BY time) AS items, list(time ORDER BY time) AS times FROM (
            SELECT user_id, item_id, time FROM '{source}'
            QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY time DESC) <= {LAST}
        ) GROUP BY user_id) TO '{out / "sequences.parquet"}'""")
    recent = ", ".join(f"count(*) FILTER (time > newest - INTERVAL {d} DAY) AS last{d}" for d in WINDOWS)
    base.execute(f"""COPY (
        SELECT item_id, count(*) AS events, count(DISTINCT user_id) AS users, avg(price) AS price, {recent}
        FROM '{source}', (SELECT max(time) AS newest FROM '{source}') GROUP BY item_id
        ) TO '{out / "windows.parquet"}'""")
    lists = base.execute(f"SELECT count(*), sum(len(items)) FROM '{out / 'sequences.parquet'}'").fetchone()
    last = base.execute(f"SELECT sum(last28) FROM '{out / 'windows.parquet'}'").fetchone()
    return _found(*lists, *last)


def with_bound(source: Path, out: Path) -> dict[str, int]:
    import polars as pl

    events = pl.read_parquet(source).sort("user_id", "time")
    events.write_parquet(out / "events.parquet")
    return {"rows": events.height}


def with_recloop(source: Path, out: Path) -> dict[str, int]:
    """The steps of `recloop run` up to the dataset, artefacts and Data Docs included, then the same two tables."""
    from recloop.config import parse
    from recloop_pipelines import ingest, train
    from recloop_pipelines.places import place
    from recloop_pipelines.settings import opened

    config = parse(_scenario(source), name="benchmark")
    phases = {}
    made = ""
    for step, inputs in ((ingest.collect, ()), (ingest.check, ("events",)), (train.prepare, ("checked",))):
        start = time.perf_counter()
        made = step(config=config, out=place(config, step.__name__, "one"), **dict.fromkeys(inputs, made))
        phases[step.__name__] = round(time.perf_counter() - start, 2)
    start = time.perf_counter()
    found = _tables(opened(made, kind="dataset").path, out)
    phases["tables"] = round(time.perf_counter() - start, 2)
    return found | {"phases": phases}


def _scenario(source: Path) -> dict:
    quality = {
        "watch": {"act": "warn"},
        "max_top_item_share": 1.0,
        "max_new_item_share": 1.0,
        "max_volume_change": 1e9,
        "max_bad_share": 1.0,
    }
    return {
        "scenario": "benchmark",
        "data": {"source": "table", "events": str(source)},
        "quality": quality,
        "split": {"min_item_events": 1},
    }


def _tables(dataset: Path, out: Path) -> dict[str, int]:
    """Coded events, which lie by user and time -> the last of each user, and statistics of each item."""
    import numpy as np

    from recloop.data.dataset import Dataset, histories
    from recloop.data.statistics import item_statistics

    data = Dataset.load(dataset)
    users = np.arange(1, len(data.users) + 1, dtype=np.int32)
    past = histories(data.events, users, np.full(len(users), data.split.end))
    item_statistics(past, data.catalogue).save(out / "windows.safetensors")
    ends, lengths = past.offsets[1:], np.minimum(past.lengths, LAST)
    kept = np.flatnonzero(np.arange(past.offsets[-1]) >= np.repeat(ends - lengths, past.lengths))
    last = past.only(kept)
    np.savez(out / "sequences.npz", offsets=last.offsets, items=last.items, times=last.times)
    age = (data.split.end - past.times) / 86_400
    return _found(len(last), len(last.items), int((age < 28).sum()))


def _found(sequences, taken, recent) -> dict[str, int]:
    return {"sequences": int(sequences), "events": int(taken), "last28": int(recent)}


def _peak() -> float:
    """Most megabytes that this process has held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


TOOLS: dict[str, Callable[[Path, Path], dict[str, int]]] = {
    "recloop": with_recloop,
    "polars": with_polars,
    "duckdb": with_duckdb,
    "pandas": with_pandas,
    "bound": with_bound,
}
IMPORTS = {"recloop": ("great_expectations", "polars", "recloop_pipelines.ingest"), "bound": ("polars",)}


def main(tool: str, source: str, out: str) -> None:
    """Run one tool in this process; its imports are not timed."""
    for name in IMPORTS.get(tool, (tool,)):
        __import__(name)
    folder = Path(out)
    os.environ["RECLOOP_HOME"] = str(folder / "home")
    start, spent = time.perf_counter(), time.process_time()
    found = TOOLS[tool](Path(source), folder)
    seconds, spent = time.perf_counter() - start, time.process_time() - spent
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    measured = {"seconds": round(seconds, 2), "cpu_seconds": round(spent, 2), "peak_mb": _peak(), "bytes_written": size}
    sys.stdout.write(json.dumps(measured | found) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
