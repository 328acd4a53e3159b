import numpy as np
import polars as pl

from recloop.data.truth import Truth, truth_of
from recloop.data.windows import Window

CUT, END = 100, 200


def coded(*rows):
    """(user code, item code, item id, time, price, quantity) -> coded events."""
    schema = {
        "user": pl.Int32, "item": pl.Int32, "item_id": pl.String, "time": pl.Int64, "price": pl.Float32, "quantity": pl.Float32
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def of(*rows, starts=None):
    start = np.full(4, CUT) if starts is None else np.array(starts)
    return truth_of(coded(*rows), Window(start=start, end=np.full(4, END)))


def pairs(truth):
    rows = zip(
        truth.users[truth.rows].tolist(), truth.items.tolist(), truth.spend.tolist(), truth.new.tolist(), strict=True
    )
    return list(rows)


def test_an_item_is_new_where_the_user_never_took_it_before_the_window():
    found = of((1, 1, "a", 5, 1, 1), (1, 1, "a", 150, 1, 1), (1, 2, "b", 150, 1, 1), (2, 2, "b", 7, 1, 1))
    assert pairs(found) == [(1, 1, 1, False), (1, 2, 1, True)]


def test_lines_of_one_item_are_one_pair_whose_spend_is_their_sum():
    found = of((1, 1, "a", 5, 1, 1), (1, 3, "c", 120, 2.5, 2), (1, 3, "c", 199, 1.25, 4))
    assert pairs(found) == [(1, 3, 10.0, True)]


def test_a_window_begins_with_its_start_and_ends_before_its_end():
    found = of((1, 1, "a", 99, 1, 1), (1, 2, "b", 100, 1, 1), (1, 3, "c", 200, 1, 1))
    assert found.items.tolist() == [2]


def test_items_outside_the_vocabulary_stay_one_miss_each():
    found = of((1, 1, "a", 5, 1, 1), (1, 0, "x", 50, 1, 1), (1, 0, "x", 110, 3, 1), (1, 0, "y", 110, 4, 1))
    assert pairs(found) == [(1, 0, 3, False), (1, 0, 4, True)]


def test_a_user_without_an_earlier_event_is_left_out():
    assert of((1, 1, "a", 110, 1, 1), (2, 1, "a", 5, 1, 1), (2, 1, "a", 110, 1, 1)).users.tolist() == [2]


def test_one_stranger_is_no_past_of_another():
    found = of((0, 1, "a", 5, 1, 1), (0, 2, "b", 150, 1, 1), (1, 1, "a", 5, 1, 1), (1, 2, "b", 150, 1, 1))
    assert found.users.tolist() == [1]


def test_every_user_has_a_window_of_his_own():
    found = of(
        (1, 1, "a", 5, 1, 1), (1, 2, "b", 50, 1, 1), (2, 1, "a", 5, 1, 1), (2, 2, "b", 50, 1, 1), starts=[0, 40, 60, 0]
    )
    assert pairs(found) == [(1, 2, 1, True)]


def test_an_empty_window_has_no_rows():
    found = of((1, 1, "a", 5, 1, 1))
    assert len(found) == 0
    assert found.offsets.tolist() == [0]


def test_some_users_of_a_truth_keep_their_own_answers_and_only_what_is_new_is_fresh():
    whole = Truth(
        users=np.array([4, 5, 6], np.int32),
        offsets=np.array([0, 2, 3, 5]),
        items=np.array([1, 2, 3, 4, 5], np.int32),
        spend=np.arange(5.0),
        new=np.array([True, False, False, True, True]),
    )
    some = whole.take(np.array([2, 0]))
    assert (some.users.tolist(), some.offsets.tolist(), some.items.tolist()) == ([6, 4], [0, 2, 4], [4, 5, 1, 2])
    fresh = whole.fresh()
    assert (fresh.users.tolist(), fresh.offsets.tolist(), fresh.items.tolist()) == ([4, 6], [0, 1, 3], [1, 4, 5])
    assert fresh.spend.tolist() == [0.0, 3.0, 4.0]
