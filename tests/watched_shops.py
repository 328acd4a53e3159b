"""A small shop of three sites with steady days, for tests of the watch over days."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from recloop.config.watching import WatchConfig
from recloop.data.events import EVENT_SCHEMA, READ_SCHEMA
from recloop.quality.watch.watch import watch

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS, VISITS, LINES, PRODUCTS = 75, 130, 4, 80
CONFIG = WatchConfig(history_days=40, partial_day="judge")
ITEMS = pl.DataFrame(
    {
        "item_id": [f"{1000 + n}" for n in range(PRODUCTS)],
        "title": [f"Product {n}" for n in range(PRODUCTS)],
        "category": [f"{'FOOD' if n % 2 else 'HOME' if n % 4 else 'TOYS'} > SHELF {n % 8}" for n in range(PRODUCTS)],
    }
)


def events(days: int = DAYS, seed: int = 5) -> pl.DataFrame:
    """Rows as read: visits at all hours of the shop's day, to three sites, of 400 customers with habits."""
    rng = np.random.default_rng(seed)
    visits = days * VISITS
    customer = rng.integers(0, 400, visits)
    second = np.repeat(np.arange(days), VISITS) * 86_400 + np.clip(rng.normal(14.5, 2.6, visits), 7, 22) * 3600
    rows = np.repeat(np.arange(visits), LINES)
    habit = (np.repeat(customer, LINES) * 7 + rng.integers(0, 8, len(rows))) % PRODUCTS
    item = np.where(rng.random(len(rows)) < 0.7, habit, rng.integers(0, PRODUCTS, len(rows)))
    site = np.repeat(rng.choice(["a", "b", "c"], visits, p=[0.5, 0.3, 0.2]), LINES)
    table = pl.DataFrame(
        {
            "event_id": [f"e{n}" for n in range(len(rows))],
            "user_id": [f"{5000 + c}" for c in np.repeat(customer, LINES)],
            "item_id": [f"{1000 + i}" for i in item],
            "event": "purchase",
            "time": [START + timedelta(seconds=int(s)) for s in np.repeat(second, LINES)],
            "price": 1.0 + item % 9 + rng.integers(0, 3, len(rows)) / 10,
            "quantity": 1.0,
            "discount": np.where(rng.random(len(rows)) < 0.3, 0.1, 0.0),
            "basket_id": [f"b{v}" for v in rows],
            "store_id": site,
        },
        schema_overrides={"time": EVENT_SCHEMA["time"]},
    )
    return pl.concat([READ_SCHEMA.to_frame(), table], how="diagonal").sort("time", "event_id")


def seen(good, refused=None, items=ITEMS, *, previous=None, allowed=(), now=None, **config):
    """The watch over good rows."""
    settings = CONFIG.model_copy(update=config)
    refused = READ_SCHEMA.to_frame() if refused is None else refused
    good = good.select(EVENT_SCHEMA.names()).sort("time", "event_id")
    moment = now or START + timedelta(days=DAYS)
    return watch(good, refused, items, config=settings, now=moment, previous=previous, allowed=allowed)


def found(watched):
    """Names of the checks that found something."""
    return {f.check for f in watched.findings}
