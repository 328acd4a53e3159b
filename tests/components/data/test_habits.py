import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames import DAY, NOW, histories
from recloop.data.habits import HALF_LIVES, habits

rows = st.lists(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 200)), max_size=10).map(
        lambda pairs: sorted(pairs, key=lambda pair: -pair[1])
    ),
    min_size=1,
    max_size=4,
)


def by_hand(row, item):
    """The habits of one pair, by a slow loop over (item, days ago) pairs."""
    ages = [days for i, days in row if i == item]
    days = sorted(set(ages))
    return {
        "count": len(ages),
        "days": len(days),
        "last": ages[-1],
        "first": ages[0],
        "recent": sum(age < 28 for age in ages),
        "gap": (ages[0] - ages[-1]) / (len(days) - 1) if len(days) > 1 else 0,
        **{f"decayed {half:g}": sum(0.5 ** (age / half) for age in ages) for half in HALF_LIVES},
    }


def found_of(made, n):
    simple = {name: getattr(made, name)[n] for name in ("count", "days", "last", "first", "recent", "gap")}
    return simple | {f"decayed {half:g}": values[n] for half, values in zip(HALF_LIVES, made.decayed, strict=True)}


@given(rows)
def test_habits_are_those_of_a_slow_loop(table):
    made = habits(histories(*table), 5)
    pairs = {(row, item) for row, events in enumerate(table) for item, _ in events}
    assert set(zip(made.rows.tolist(), made.items.tolist(), strict=True)) == pairs
    for n, (row, item) in enumerate(zip(made.rows, made.items, strict=True)):
        assert found_of(made, n) == pytest.approx(by_hand(table[row], item), rel=1e-5, abs=1e-6)


def test_two_lines_on_one_day_are_two_purchases_on_one_day():
    made = habits(histories([(1, 3.5), (1, 3.25), (1, 1.5)]), 2)
    assert (made.count[0], made.days[0]) == (3, 2)
    assert made.gap[0] == 2


def test_price_and_quantity_are_means_over_the_lines():
    past = histories([(1, 5), (2, 4), (1, 3)])
    past.prices[:] = [1, 7, 4]
    past.quantities[:] = [3, 1, 1]
    made = habits(past, 3)
    assert made.price.tolist() == [2.5, 7]
    assert made.quantity.tolist() == [2, 1]


def test_every_row_is_seen_from_its_own_moment():
    past = histories([(1, 10)], [(1, 10)])
    past.now[1] = NOW + 5 * DAY
    assert habits(past, 2).last.tolist() == [10, 15]


def test_no_events_make_no_habits():
    made = habits(histories([], []), 5)
    assert len(made.count) == len(made.gap) == len(made.rows) == 0
    assert np.array_equal(made.decayed, np.zeros((3, 0)))
