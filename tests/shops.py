"""A small made-up shop whose customers have habits, for tests of whole runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

DAYS, CUSTOMERS, PRODUCTS = 120, 150, 60
START = datetime(2024, 1, 1, tzinfo=UTC)

CONFIG = """\
scenario: shop
data:
  source: table
  events: {folder}/events.csv
  items: {folder}/items.csv
  columns: {{user_id: customer, item_id: product, time: bought_at}}
  item_columns: {{item_id: product}}
  until: 2024-04-15
split: {{test_days: 14, min_item_events: 3}}
model:
  candidates: {{history: 30, popularity: 20, item_knn: 20, sasrec: 20, neighbours: 10}}
  sasrec: {{dim: 8, blocks: 1, heads: 1, length: 20, horizon: 5, negatives: 16, batch: 16, epochs: 1}}
  ranker: {{epochs: 2, windows: 2, batch: 256}}
trainer: {{threads: 1, checkpoint_seconds: 0.2}}
evaluation: {{bootstrap: 200, baselines: [popularity, item_knn]}}
gate: {{views: [all], champion_views: [], max_slice_loss: 1, min_users: 20, leak_ratio: 20, leak_share: 0.5, max_latency_ms: 999}}
quality: {{max_top_item_share: 0.5, max_volume_change: 50}}
"""


def write_shop(folder: Path, *, config: str = CONFIG) -> Path:
    """Write events.csv, items.csv and shop.yaml -> the YAML."""
    events().write_csv(folder / "events.csv", datetime_format="%Y-%m-%dT%H:%M:%S")
    items = pl.DataFrame(
        {
            "product": [f"p{n}" for n in range(PRODUCTS)],
            "title": [f"Product {n}" for n in range(PRODUCTS)],
            "category": [f"AISLE {n % 4} > SHELF {n % 12}" for n in range(PRODUCTS)],
        }
    )
    items.write_csv(folder / "items.csv")
    path = folder / "shop.yaml"
    path.write_text(config.format(folder=folder))
    return path


def events(seed: int = 3) -> pl.DataFrame:
    """Customers come about once a week; each has five favourites and takes popular products beside them."""
    rng = np.random.default_rng(seed)
    fame = 1 / np.arange(1, PRODUCTS + 1)
    rows = []
    for customer in range(CUSTOMERS):
        favourites = rng.choice(PRODUCTS, 5, replace=False)
        for day in sorted(rng.choice(DAYS, 16, replace=False)):
            bought = {*rng.choice(favourites, 2), *rng.choice(PRODUCTS, 2, p=fame / fame.sum())}
            moment = START + timedelta(days=int(day), hours=int(rng.integers(8, 20)), minutes=int(rng.integers(60)))
            rows += [(f"c{customer}", f"p{p}", moment, 1.0 + p, f"b{customer}-{day}") for p in sorted(bought)]
    return pl.DataFrame(rows, schema=["customer", "product", "bought_at", "price", "basket_id"], orient="row")
