"""The presets of configs/, each from raw files in its set's form to a decision of the gate. The files are made up and small."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recloop.config import Config, load
from recloop.serving.bundle import Bundle
from recloop.serving.engine import Engine
from recloop.serving.schemas import Ask
from recloop.serving.state import State
from recloop_pipelines.console import steps
from recloop_pipelines.places import latest
from recloop_pipelines.release import verdict
from recloop_pipelines.run import run
from recloop_pipelines.settings import opened, settings
from shops import events

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = {
    "trainer": {"threads": 1},
    "evaluation": {"bootstrap": 200},
    "gate": {"min_users": 20},
    "model": {
        "sasrec": {"dim": 8, "blocks": 1, "heads": 1, "length": 20, "horizon": 5, "negatives": 16, "epochs": 1},
        "ranker": {"epochs": 2, "windows": 2, "batch": 256},
    },
}


def tastes(users=150, items=80, taken=12):
    """Each user takes most from one of four shelves, nothing twice -> item numbers. [users, taken]"""
    rng = np.random.default_rng(5)
    shelf = np.arange(items) % 4
    fame = 1 / (1 + np.arange(items) // 4)
    chance = [np.where(shelf == u % 4, 20, 1) * fame for u in range(users)]
    return [rng.choice(items, taken, replace=False, p=c / c.sum()) for c in chance]


def films(folder):
    """ml-latest-small: ratings.csv, movies.csv."""
    rows = [
        (u, i, 4.0, 1_000_000_000 + 86_400 * (7 * n + u)) for u, row in enumerate(tastes()) for n, i in enumerate(row)
    ]
    pl.DataFrame(rows, schema=["userId", "movieId", "rating", "timestamp"], orient="row").write_csv(
        folder / "ratings.csv"
    )
    titles = pl.DataFrame({"movieId": range(80), "title": [f"Film {n}" for n in range(80)], "genres": ["Drama"] * 80})
    titles.write_csv(folder / "movies.csv")


def reviews(folder):
    """beauty: a line a user."""
    (folder / "sequences.txt").write_text(
        "".join(f"{u} {' '.join(map(str, row))}\n" for u, row in enumerate(tastes(), 1))
    )


def invoices(folder):
    """online-retail-ii: two years of invoice lines, some without a customer, some taken back."""
    lines = events().select(
        pl.col("basket_id").alias("InvoiceNo"),
        pl.col("product").alias("StockCode"),
        pl.format("Gift {}", "product").alias("Description"),
        pl.when(pl.int_range(pl.len()) % 50 == 0).then(-1).otherwise(2).alias("Quantity"),
        pl.col("bought_at").dt.replace_time_zone(None).dt.offset_by("-13y").alias("InvoiceDate"),
        pl.col("price").alias("UnitPrice"),
        pl.when(pl.int_range(pl.len()) % 5 > 0)
        .then(pl.col("customer").str.slice(1).cast(pl.Int64))
        .alias("CustomerID"),
        pl.lit("EIRE").alias("Country"),
    )
    lines.clear().write_parquet(folder / "online_retail_2009_2010.parquet")
    lines.write_parquet(folder / "online_retail_2010_2011.parquet")


def merged(config, small):
    """The preset with the sizes of a test."""
    told = config.model_dump()
    for section, values in small.items():
        for key, value in values.items():
            told[section][key] = {**told[section][key], **value} if isinstance(value, dict) else value
    return Config.model_validate(told)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "set_", "write"),
    [("movies", "ml-latest-small", films), ("shop", "online-retail-ii", invoices), ("reviews", "beauty", reviews)],
)
def test_a_preset_runs_from_raw_files_to_the_gate(name, set_, write):
    folder = settings().sets / set_
    folder.mkdir(parents=True)
    write(folder)
    config = merged(load(CONFIGS / f"{name}.yaml"), SMALL)
    with steps() as progress:
        outcome = run(config, name="one", steps=progress)
    assert outcome.artifacts["scorecard"] == latest(config, "scorecard")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["music", "news", "social"])
def test_a_preset_of_a_made_up_set_is_released_and_answers(name):
    config = load(CONFIGS / f"{name}.yaml")
    with steps() as progress:
        outcome = run(config, name="one", steps=progress)
    assert outcome.released, verdict(config, outcome.artifacts["scorecard"])
    user, answer = asked(Path(opened(outcome.artifacts["release"], kind="release").path))
    assert len(answer["items"]) == 5, user


def asked(folder):
    """A release's first user, and what a service with that release answers them."""
    bundle = Bundle.load(folder)
    engine = Engine(State(), k=5, max_k=20)
    engine.swap(bundle, digest="one", generation=1)
    user = bundle.users.ids[0]
    return user, engine.recommend(Ask(user_id=user), now=bundle.end + 60.0)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_scenario_is_named_like_its_file(path):
    assert load(path).scenario == path.stem
