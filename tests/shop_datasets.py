"""The made-up shop as a dataset, and a model of two stages that is learnt from it in seconds."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl

import shops
from frames import items
from recloop.config import CandidatesConfig, ModelConfig, RankerConfig, SASRecConfig, SplitConfig, TrainerConfig
from recloop.data import split
from recloop.data.dataset import Dataset
from recloop.data.events import EVENT_SCHEMA
from recloop.models import family
from recloop.models.task import Task

SPLIT = SplitConfig(test_days=14, min_item_events=3)
END = shops.START + timedelta(days=shops.DAYS)
CUT = END - timedelta(days=SPLIT.test_days)
MODEL = ModelConfig(
    candidates=CandidatesConfig(history=10, popularity=8, item_knn=8, sasrec=8, neighbours=6),
    sasrec=SASRecConfig(dim=8, blocks=1, heads=1, length=12, horizon=4, negatives=16, batch=32, epochs=1),
    ranker=RankerConfig(hidden=(8,), epochs=1, windows=2, batch=256, lr=0.02),
)

BRIEF = {"dim": 8, "epochs": 1}
SEQUENCE = {**BRIEF, "blocks": 1, "heads": 1, "length": 12, "batch": 32, "negatives": 16}
EVERY = ModelConfig.model_validate(
    MODEL.model_dump()
    | {
        "bert4rec": SEQUENCE,
        "hstu": SEQUENCE,
        "hybrid": {"parts": ["after", "cosine", "popularity", "taken", "content"]},
        "din": {"hidden": [8], "epochs": 1, "length": 6, "dim": 4, "batch": 256},
        "multi_task": {"hidden": [8], "experts": 2, "tower": 4, "epochs": 1, "batch": 256},
        "two_tower": {**BRIEF, "hidden": 8, "negatives": 16, "batch": 64},
    }
)
"""every kind, learnt in about a second"""


def canonical() -> pl.DataFrame:
    """Canonical purchases of the shop."""
    bought = shops.events()
    return bought.select(
        event_id=pl.format("e{}", pl.int_range(pl.len())),
        user_id="customer",
        item_id="product",
        event=pl.lit("purchase"),
        time=pl.col("bought_at").cast(EVENT_SCHEMA["time"]),
        price="price",
        quantity=pl.lit(1.0),
        discount=pl.lit(0.0),
        rating=pl.lit(None, dtype=pl.Float64),
        basket_id="basket_id",
        store_id=pl.lit(None, dtype=pl.String),
    )


def dataset(events: pl.DataFrame, config: SplitConfig = SPLIT) -> Dataset:
    """Canonical events of the shop -> Dataset."""
    products = items([f"p{n}" for n in range(shops.PRODUCTS)])
    paths = pl.format("AISLE {} > SHELF {}", pl.int_range(pl.len()) % 4, pl.int_range(pl.len()) % 12)
    return split.build(events, products.with_columns(category=paths), config, end=END)


def task(data: Dataset, place: Path = Path(), *, config: ModelConfig = MODEL, warm: Path | None = None) -> Task:
    """Everything before the test window may be learnt; files go below `place`."""
    trainer = TrainerConfig(threads=1)
    return Task(data, data.test, config, trainer, seed=5, out=place / "out", work=place / "work", warm=warm)


def fit(
    data: Dataset, place: Path, *, config: ModelConfig = MODEL, warm: Path | None = None, told: list[str] | None = None
) -> Path:
    """Fit a model -> its folder."""
    made = task(data, place, config=config, warm=warm)
    made.out.mkdir(parents=True)
    made.work.mkdir()
    heard = [] if told is None else told
    family.fit(config.kind, replace(made, progress=lambda what, _: heard.append(what)))
    return made.out
