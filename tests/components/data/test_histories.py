from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from frames import histories
from recloop.data.histories import stacked

PAST = histories([(1, 9), (2, 8), (3, 1)], [], [(4, 5)], [(5, 4), (1, 3)])


def rows_of(past):
    return [past.items[a:b].tolist() for a, b in zip(past.offsets[:-1], past.offsets[1:], strict=True)]


def test_each_event_knows_its_row():
    assert PAST.rows.tolist() == [0, 0, 0, 2, 3, 3]
    assert PAST.lengths.tolist() == [3, 0, 1, 2]


def test_a_part_shares_the_events_of_the_whole():
    part = PAST.part(1, 3)
    assert rows_of(part) == [[], [4]]
    assert np.shares_memory(part.items, PAST.items)


def test_a_part_may_reach_beyond_the_last_row():
    assert rows_of(PAST.part(3, 99)) == [[5, 1]]


@given(st.lists(st.integers(0, 3), max_size=8))
def test_rows_are_taken_in_the_order_given_and_as_often(wanted):
    taken = PAST.take(np.array(wanted, dtype=np.int64))
    whole = rows_of(PAST)
    assert rows_of(taken) == [whole[row] for row in wanted]
    assert taken.times.tolist() == [t for row in wanted for t in PAST.times[PAST.rows == row].tolist()]


def test_what_a_smaller_vocabulary_lacks_is_left_out_of_every_column():
    found = PAST.within(3)
    assert rows_of(found) == [[1, 2], [], [], [1]]
    assert found.prices.tolist() == [1, 2, 1]
    assert len(found.times) == len(found.quantities) == len(found.discounts) == 3
    assert len(found.now) == len(PAST)


def test_stacked_rows_are_the_rows_of_every_part_in_order():
    again = stacked([PAST.part(n, n + 1) for n in range(len(PAST))])
    assert all(np.array_equal(getattr(again, f.name), getattr(PAST, f.name)) for f in fields(PAST))
