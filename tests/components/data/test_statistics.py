from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames import catalogue, histories
from recloop.data.statistics import UNKNOWN_GAP, item_statistics

N = 4
rows = st.lists(
    st.lists(st.tuples(st.integers(1, N), st.integers(1, 120)), max_size=10).map(
        lambda pairs: sorted(pairs, key=lambda pair: -pair[1])
    ),
    max_size=4,
)


def by_hand(table, item):
    """Statistics of one item by a slow loop; the price of item n is n."""
    ages = [days for row in table for i, days in row if i == item]
    own = [sorted({days for i, days in row if i == item}, reverse=True) for row in table]
    own = [days for days in own if days]
    gaps = [np.mean([a - b for a, b in pairwise(days)]) for days in own if len(days) > 1]
    return {
        **{f"pop{limit}": sum(age < limit for age in ages) for limit in (7, 28, 90)},
        "pop": len(ages),
        "buyers": len(own),
        "repeat": len(gaps) / len(own) if own else 0,
        "gap": np.mean(gaps) if gaps else UNKNOWN_GAP,
        "price": item if ages else 0,
        "age": max(ages, default=0),
    }


@given(rows)
def test_statistics_are_those_of_a_slow_loop(table):
    found = item_statistics(histories(*table), catalogue(N))
    for item in range(1, N + 1):
        wanted = by_hand(table, item)
        assert {name: getattr(found, name)[item] for name in wanted} == pytest.approx(wanted, rel=1e-5)


def test_padding_has_no_statistics():
    found = item_statistics(histories([(1, 3)]), catalogue(N))
    assert len(found) == N + 1
    assert all(getattr(found, f.name)[0] == 0 for f in fields(found) if f.name != "gap")


def test_recent_prices_and_discounts_are_of_the_last_28_days():
    past = histories([(1, 60), (1, 40), (1, 20)])
    past.prices[:] = [10, 8, 6]
    past.discounts[:] = [0, 0.125, 0.25]
    found = item_statistics(past, catalogue(1))
    assert (found.price[1], found.price28[1]) == (8, 6)
    assert (found.discount[1], found.discount28[1]) == (0.125, 0.25)


def test_a_window_of_days_leaves_out_its_last_moment():
    found = item_statistics(histories([(1, 90), (1, 28), (1, 7), (1, 6.5)]), catalogue(1))
    assert (found.pop[1], found.pop90[1], found.pop28[1], found.pop7[1]) == (4, 3, 2, 1)


def test_an_item_not_sold_lately_keeps_its_older_price():
    assert item_statistics(histories([(2, 60)]), catalogue(2)).price28[2] == 2


def test_codes_of_categories_follow_their_paths():
    found = item_statistics(histories([]), catalogue(N))
    # categories D1 > C1, D0 > C2, D1 > C0, D0 > C1
    assert found.department.tolist() == [0, 2, 1, 2, 1]
    assert found.category.tolist() == [0, 4, 2, 3, 1]
