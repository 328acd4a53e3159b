from hypothesis import given
from hypothesis import strategies as st

from fits import histories_of
from recloop.data.discoveries import discoveries


def test_only_the_first_event_of_each_item_is_left():
    found = discoveries(histories_of([3, 1, 3, 2, 1], [1, 1], []))
    assert found.items.tolist() == [3, 1, 2, 1]
    assert found.offsets.tolist() == [0, 3, 4, 4]
    assert found.times.tolist() == [0, 3600, 3 * 3600, 0]


def test_no_rows_stay_no_rows():
    assert len(discoveries(histories_of())) == 0


@given(st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=6))
def test_each_row_is_its_items_in_the_order_of_first_times(rows):
    found = discoveries(histories_of(*rows))
    parts = [found.items[a:b].tolist() for a, b in zip(found.offsets[:-1], found.offsets[1:], strict=True)]
    assert parts == [list(dict.fromkeys(row)) for row in rows]
