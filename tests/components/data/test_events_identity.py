import polars as pl

from frames import conform
from recloop.data.reading import Form


def ids(*rows):
    raw = pl.DataFrame(list(rows)).lazy()
    return conform(raw, {}, event="view", form=Form(), until=None, name="log")["event_id"].to_list()


A = {"user_id": "u", "item_id": "i", "time": "2020-01-01", "price": 1.0}
B = A | {"price": 1.0000000000000002}


def test_the_same_row_has_the_same_id_in_every_export():
    assert ids(A, B)[0] == ids(B, A)[1] == "f08bf8f28d33257dcf10a72f06f57800"


def test_rows_that_differ_in_the_last_bit_differ_in_id():
    assert len(set(ids(A, B))) == 2


def test_text_moved_between_columns_makes_another_id():
    assert ids(A | {"user_id": "ui", "item_id": "x"}) != ids(A | {"user_id": "u", "item_id": "ix"})


def test_a_repeated_row_has_the_id_of_the_first_and_its_number():
    first, second, third = ids(A, A, A)
    assert (second, third) == (f"{first}-2", f"{first}-3")


def test_a_repeated_row_without_an_id_is_a_duplicate():
    raw = pl.DataFrame([A, A]).lazy()
    read = conform(raw, {}, event="view", form=Form(), until=None, name="log")
    assert read["reason"].to_list() == [None, "duplicate_row"]


def test_ids_of_the_source_are_kept_and_gaps_are_filled():
    first, second = ids(A | {"event_id": "mine"}, A | {"event_id": None})
    assert first == "mine"
    assert len(second) == 32


def test_equal_rows_with_ids_of_their_own_are_no_duplicates():
    rows = [A | {"event_id": "one"}, A | {"event_id": "two"}, A | {"event_id": None}]
    read = conform(pl.DataFrame(rows).lazy(), {}, event="view", form=Form(), until=None, name="log")
    assert read["reason"].null_count() == 3
