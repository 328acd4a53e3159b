"""Are the simulated shoppers like the real ones? Figures of both, side by side, and the number of usual items that fits."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recloop.columns import Columns
from recloop.simulator.shop import Shop, habits
from recloop.simulator.shoppers import Shoppers, Traits, shoppers

USUAL = (30, 90)
REPEAT = (0.2, 0.4, 0.6)
START = datetime(2026, 1, 5, tzinfo=UTC)
TRIED = 80
"""shoppers of a trial"""


@dataclass(frozen=True)
class Likeness:
    """What is compared. top_1, top_10: share of purchases that the best-selling 1 % and 10 % of the items have."""

    visits_a_week: float
    basket_mean: float
    basket_spread: float
    repeat_rate: float
    top_1: float
    top_10: float


def likeness(bought: pl.DataFrame, *, days: int) -> Likeness:
    """Purchases of a period of `days` -> Likeness."""
    own = habits(bought, days=days)
    counts = bought.group_by(Columns.Item).len()["len"].to_numpy().astype(np.float64)
    shares = [_head(counts, part) for part in (0.01, 0.1)]
    return Likeness(7 * own.visits, own.basket, own.spread, own.repeat, *shares)


def alone(people: Shoppers, *, days: int) -> pl.DataFrame:
    """What shoppers buy of themselves, with nobody recommending: purchases as canonical columns."""
    rows = [
        (people.names[user], people.shop.items[item], f"{people.names[user]}-{day}", START + timedelta(days=day))
        for day in range(days)
        for user in people.visitors(day).tolist()
        for item in people.planned(user, day)
    ]
    schema = {
        Columns.User: pl.String(),
        Columns.Item: pl.String(),
        Columns.Basket: pl.String(),
        Columns.Time: pl.Datetime("us", "UTC"),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def calibrated(shop: Shop, traits: Traits, *, days: int) -> Traits:
    """Traits with the repeat and usual items that bring repeat rate and popularity curve nearest to the shop's."""
    tried: Sequence[Traits] = [
        replace(traits, users=TRIED, repeat=repeat, usual=usual) for repeat in REPEAT for usual in USUAL
    ]
    best = tried[int(np.argmin([_miss(shop, one, days) for one in tried]))]
    return replace(traits, repeat=best.repeat, usual=best.usual)


def _miss(shop: Shop, traits: Traits, days: int) -> float:
    """Differences of the repeat rate and of the head's share."""
    own = likeness(alone(shoppers(shop, traits), days=days), days=days)
    return abs(own.repeat_rate - shop.habits.repeat) + abs(own.top_10 - _head(shop.fame, 0.1))


def _head(counts: NDArray[np.float64], part: float) -> float:
    """Share that the largest `part` of the counts has of all."""
    ordered = np.sort(counts)[::-1]
    return float(ordered[: max(1, round(part * len(ordered)))].sum() / ordered.sum())


def beside(real: Likeness, simulated: Likeness) -> dict[str, dict[str, float]]:
    """Figure -> real and simulated."""
    return {name: {"real": value, "simulated": getattr(simulated, name)} for name, value in asdict(real).items()}
