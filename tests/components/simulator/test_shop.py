from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recloop.errors import BadData
from recloop.simulator.shop import shop_of

START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS = pl.DataFrame({"item_id": ["a", "b", "c"], "category": ["FOOD > TEA", "FOOD > RICE", "HOME > MOP"]})


def events(*rows):
    """(user, item, day) -> purchases, a basket a user and day."""
    return pl.DataFrame(
        [
            {"user_id": u, "item_id": i, "time": START + timedelta(days=d), "basket_id": f"{u}{d}", "price": 2.0}
            for u, i, d in rows
        ]
    ).with_columns(event=pl.lit("purchase"))


def test_fame_groups_and_habits_of_a_tiny_shop():
    shop = shop_of(events(("u", "a", 0), ("u", "b", 0), ("u", "a", 8), ("v", "c", 9)), ITEMS, days=10)
    assert shop.items == ("a", "b", "c")
    assert shop.fame.tolist() == [0.5, 0.25, 0.25]
    assert shop.groups.tolist() == [0, 0, 1]
    assert shop.shares.tolist() == [0.75, 0.25]
    assert shop.habits.basket == pytest.approx(4 / 3)
    assert shop.habits.visits == pytest.approx(3 / 2 / 10)
    assert shop.habits.repeat == pytest.approx(0.5)


def test_only_the_last_days_count():
    assert shop_of(events(("u", "a", 0), ("u", "b", 40)), ITEMS, days=28).items == ("b",)


def test_without_purchases_there_is_no_shop():
    with pytest.raises(BadData, match="no purchase"):
        shop_of(events(("u", "a", 0)).with_columns(event=pl.lit("view")), ITEMS, days=28)
