from dataclasses import replace

import numpy as np
import pytest

from recloop.simulator.likeness import alone, beside, calibrated, likeness
from recloop.simulator.shop import Habits, Shop
from recloop.simulator.shoppers import Traits, shoppers

N = 60
SHOP = Shop(
    items=tuple(f"i{n}" for n in range(N)),
    fame=(1 / np.arange(1, N + 1)) / (1 / np.arange(1, N + 1)).sum(),
    groups=np.arange(N) % 4,
    prices=np.linspace(1, 6, N),
    habits=Habits(visits=0.3, basket=4.0, spread=2.0, repeat=0.5),
)
TRAITS = Traits(users=40, usual=8, churn=0.0)


@pytest.fixture(scope="module")
def people():
    return shoppers(SHOP, TRAITS)


def test_the_same_seed_makes_the_same_people_and_another_does_not(people):
    again, other = shoppers(SHOP, TRAITS), shoppers(SHOP, replace(TRAITS, seed=2))
    assert alone(people, days=5).equals(alone(again, days=5))
    assert not alone(people, days=5).select("item_id").equals(alone(other, days=5).select("item_id"))
    assert people.names[0] != other.names[0]


def test_a_visit_is_the_same_in_whatever_order_people_come(people):
    first = people.planned(3, 2)
    people.planned(9, 2)
    assert people.planned(3, 2) == first
    assert len(set(first)) == len(first) > 0


def test_what_stands_below_is_looked_at_less(people):
    slate = list(range(20))
    clicks = np.zeros(20)
    for user in range(40):
        for day in range(40):
            clicks[people.taken(user, day, slate)[0]] += 1
    rolled = np.zeros(20)
    for user in range(40):
        for day in range(40):
            rolled[people.taken(user, day, slate[::-1])[0]] += 1
    assert clicks[:5].sum() > 2 * rolled[:5].sum()


def test_a_planted_effect_sells_more_of_what_is_shown_and_nothing_else(people):
    def bought(lift):
        return sum(len(people.taken(user, day, range(10), lift=lift)[1]) for user in range(40) for day in range(40))

    clicks = sum(len(people.taken(user, day, range(10))[0]) for user in range(40) for day in range(40))
    assert bought(0.5) / bought(0.0) == pytest.approx(1.5, abs=0.25)
    assert bought(1.0) == clicks


def test_items_that_the_shop_does_not_know_are_never_taken(people):
    assert people.taken(1, 1, [-1, -1, -1]) == ([], [])


def test_tastes_are_planted_and_drift_away(people):
    near, far = (np.abs(people.wants(0, day) - people.wants(0, 0)).sum() for day in (1, 400))
    assert far > 5 * near


def test_bots_push_one_item_whatever_they_are_shown():
    made = shoppers(SHOP, replace(TRAITS, bots=0.1))
    assert [made.is_bot(user) for user in (0, 3, 4)] == [True, True, False]
    assert made.planned(0, 1) == made.planned(2, 9)
    assert made.taken(0, 1, range(10)) == ([], [])


def test_churned_shoppers_do_not_come_back():
    made = shoppers(SHOP, replace(TRAITS, churn=0.2))
    gone = made.days_left < 10
    assert gone.any()
    assert not {user for day in range(10, 60) for user in made.visitors(day).tolist()} & set(
        np.flatnonzero(gone).tolist()
    )


def test_calibrated_shoppers_buy_as_the_shops_do():
    fitted = calibrated(SHOP, TRAITS, days=8)
    found = likeness(alone(shoppers(SHOP, replace(fitted, users=120)), days=8), days=8)
    assert found.basket_mean == pytest.approx(SHOP.habits.basket, rel=0.3)
    assert found.repeat_rate == pytest.approx(SHOP.habits.repeat, abs=0.2)
    assert beside(found, found)["top_1"] == {"real": found.top_1, "simulated": found.top_1}
