"""Release bundles of any size: one real fit on a made-up shop, and larger catalogues whose items are variants of its own."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import onnx
import polars as pl
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

from recloop.columns import ITEM_COLUMNS
from recloop.config import Config, ModelConfig, SplitConfig, TrainerConfig
from recloop.data.dataset import Dataset
from recloop.data.events import EVENT_SCHEMA
from recloop.data.histories import Histories
from recloop.data.split import build
from recloop.data.statistics import item_statistics
from recloop.data.vocabulary import Vocabulary
from recloop.models.family import fit
from recloop.models.item_knn import ItemKNN
from recloop.models.linear import FILE as LINEAR
from recloop.models.linear import Linear
from recloop.models.retrieval_choice import choose
from recloop.models.task import Task
from recloop.serving.bundle import ARRAYS, assemble

ITEMS, TASTES, CUSTOMERS, EVENTS, DAYS = 10_000, 100, 800, 80, 120
START = datetime(2026, 1, 1, tzinfo=UTC)
MODEL = ModelConfig.model_validate({"sasrec": {"epochs": 12, "fast": True}, "ranker": {"epochs": 1, "windows": 1}})
UNLIMITED = {"requests_per_minute": 10**9, "burst": 10**9}
"""one address sends it all"""
NOISE = 0.2
"""of a variant's vector, in standard deviations of the vectors"""


def fitted(folder: Path) -> Path:
    """A bundle of about ITEMS items: dataset, two-stage model (SASRec, item-kNN, ranker) and bundle, by the real code."""
    parts = {name: folder / name for name in ("dataset", "model", "work", "scorecard", "bundle")}
    for part in parts.values():
        part.mkdir(parents=True)
    data = _shop()
    data.save(parts["dataset"])
    trainer = TrainerConfig(threads=1)
    fit("two_stage", Task(data, data.test, MODEL, trainer, 7, parts["model"], parts["work"]))
    (parts["scorecard"] / "scorecard.json").write_text("{}")
    assemble(
        parts["dataset"], parts["model"], parts["scorecard"], parts["bundle"], scenario="made-up", config=settings()
    )
    return parts["bundle"]


def settings() -> str:
    """The configuration that the bundles name."""
    return Config.model_validate(
        {"scenario": "made-up", "data": {"source": "table", "events": "none"}}
    ).model_dump_json()


def _shop() -> Dataset:
    """Customers who like a few of TASTES groups of items each; every item is taken now and then."""
    rng = np.random.default_rng(7)
    n = CUSTOMERS * EVENTS
    liked = rng.integers(0, TASTES, (CUSTOMERS, 3))
    customer = np.repeat(np.arange(CUSTOMERS), EVENTS)
    taste = liked[customer, rng.integers(0, 3, n)]
    within = np.minimum(rng.geometric(0.03, n) - 1, ITEMS // TASTES - 1)
    item = np.where(rng.random(n) < 0.9, taste + TASTES * within, rng.integers(0, ITEMS, n))
    item[rng.permutation(n)[:ITEMS]] = np.arange(ITEMS)
    day = rng.random(n) * DAYS
    visit = (day * 4).astype(int) / 4
    events = pl.DataFrame(
        {
            "event_id": [f"e{k}" for k in range(n)],
            "user_id": [f"u{k}" for k in customer],
            "item_id": [f"i{k}" for k in item],
            "event": ["purchase"] * n,
            "time": [START + timedelta(days=float(at)) for at in visit],
            "price": (1.0 + item % 17).astype(float),
            "quantity": np.ones(n),
            "discount": np.zeros(n),
        }
    )
    empty = pl.DataFrame(schema=EVENT_SCHEMA)
    events = pl.concat([empty, events], how="diagonal_relaxed").cast(EVENT_SCHEMA)
    items = pl.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(ITEMS)],
            "title": [f"Item {k}" for k in range(ITEMS)],
            "category": [f"AISLE {k % 10} > SHELF {k % TASTES}" for k in range(ITEMS)],
        }
    )
    unnamed = pl.DataFrame(schema={name: pl.String() for name in ITEM_COLUMNS})
    items = pl.concat([unnamed, items], how="diagonal")
    return build(events, items, SplitConfig(test_days=14, min_item_events=1))


def grown(bundle: Path, times: int, out: Path) -> Path:
    """The bundle with `times` variants of every item: vectors with noise, neighbours, histories and figures of their own."""
    rng = np.random.default_rng(times)
    shutil.copytree(bundle, out)
    catalogue = pl.read_parquet(bundle / "catalogue.parquet")
    wide = catalogue[np.repeat(np.arange(catalogue.height), times)].with_columns(
        pl.int_range(pl.len()).cast(pl.String).alias("variant")
    )
    wide = wide.with_columns(pl.concat_str("item_id", pl.lit("-"), "variant").alias("item_id")).drop("variant")
    wide.write_parquet(out / "catalogue.parquet")
    Vocabulary(tuple(wide["item_id"])).save(out / "items.json")
    past = _histories(bundle, times, rng)
    save_file({name: np.ascontiguousarray(getattr(past, name)) for name in ARRAYS}, out / "history.safetensors")
    _model(out / "model", past, wide, times, rng)
    choose(out / "model", past, cap=MODEL.candidates.sasrec)
    return out


def _histories(bundle: Path, times: int, rng: np.random.Generator) -> Histories:
    arrays = load_file(bundle / "history.safetensors")
    items = arrays["items"].astype(np.int64)
    arrays["items"] = _variant(items, times, rng.integers(0, times, len(items))).astype(np.int32)
    n = len(arrays["offsets"]) - 1
    return Histories(**arrays, now=np.full(n, int(arrays["times"].max()) + 1, dtype=np.int64))


def _variant(codes: np.ndarray, times: int, which: np.ndarray) -> np.ndarray:
    """Code of a variant of each item; padding stays."""
    return np.where(codes > 0, (codes - 1) * times + which + 1, 0)


def _model(folder: Path, past: Histories, catalogue: pl.DataFrame, times: int, rng: np.random.Generator) -> None:
    item_statistics(past, catalogue).save(folder / "statistics.safetensors")
    near = ItemKNN.load(folder / "item_knn.safetensors")
    spread = _spread(near.neighbours, times)
    spread = _variant(spread.astype(np.int64), times, rng.integers(0, times, spread.shape)).astype(np.int32)
    similarity = _spread(near.similarity, times)
    ItemKNN(spread, similarity, half_life=near.half_life).save(folder / "item_knn.safetensors")
    linear = Linear.load(folder / LINEAR)
    first = _variant(linear.head.astype(np.int64), times, np.zeros(len(linear.head), dtype=np.int64))
    Linear(first.astype(np.int32), linear.places, linear.values).save(folder / LINEAR)
    vectors = np.load(folder / "item_vectors.npy")
    wide = _spread(vectors, times)
    wide[1:] += (NOISE * vectors.std() * rng.standard_normal(wide[1:].shape)).astype(np.float32)
    np.save(folder / "item_vectors.npy", wide)
    np.save(folder / "item_known.npy", _spread(np.load(folder / "item_known.npy"), times))
    _retable(folder / "encoder.onnx", len(vectors), wide)


def _spread(values: np.ndarray, times: int) -> np.ndarray:
    """The padding row once, every other row `times` times."""
    return np.concatenate([values[:1], np.repeat(values[1:], times, axis=0)])


def _retable(path: Path, rows: int, vectors: np.ndarray) -> None:
    """Give the encoder the new table of item vectors."""
    model = onnx.load(path)
    tables = [one for one in model.graph.initializer if list(one.dims)[:1] == [rows]]
    assert len(tables) == 1, f"{path} has {len(tables)} tables of {rows} rows"
    tables[0].CopyFrom(numpy_helper.from_array(vectors, tables[0].name))
    path.write_bytes(model.SerializeToString(deterministic=True))


def renamed(bundle: Path, prefix: str, out: Path) -> Path:
    """The same bundle whose item ids begin with a prefix: an answer shows from which of the two it came."""
    shutil.copytree(bundle, out)
    wide = pl.read_parquet(bundle / "catalogue.parquet").with_columns(
        pl.concat_str(pl.lit(prefix), "item_id").alias("item_id")
    )
    wide.write_parquet(out / "catalogue.parquet")
    Vocabulary(tuple(wide["item_id"])).save(out / "items.json")
    return out
