from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from frames import canonical, items
from recloop.config import SplitConfig
from recloop.data import split
from recloop.data.dataset import Dataset, histories
from recloop.errors import BadData

END = datetime(2024, 1, 31, tzinfo=UTC)
ROWS = [
    ("u2", "b", 9),
    ("u1", "a", 1),
    ("u1", "b", 12),
    ("u2", "a", 3),
    ("u1", "a", 25),
    ("u3", "a", 26),
    ("u1", "z", 2),
]
CONFIG = SplitConfig(test_days=7, min_item_events=2)


def build(rows=ROWS):
    return split.build(canonical(rows), items(["a", "b"]), CONFIG, end=END)


def test_only_known_users_and_items_before_the_window_are_its_past():
    dataset = build()
    past = dataset.before(dataset.test)
    assert past.select("user", "item_id").rows() == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def test_strangers_have_no_past():
    config = SplitConfig(kind="leave_last_out", min_item_events=1)
    dataset = split.build(canonical([*ROWS, ("u7", "a", 4), ("u8", "a", 20)]), items(["a", "b"]), config)
    assert dataset.events["user"].min() == 0
    assert dataset.before(dataset.test)["user"].min() == 1


def test_histories_come_in_the_order_asked_for_and_are_empty_for_who_has_none():
    dataset = build()
    past = dataset.before(dataset.test)
    found = histories(past, np.array([2, 3, 1], dtype=np.int32), np.array([10, 20, 30]))
    assert found.items.tolist() == [1, 2, 1, 2]
    assert ((found.times - past["time"].min()) // 86_400).tolist() == [2, 8, 0, 11]
    assert found.lengths.tolist() == [2, 0, 2]
    assert found.now.tolist() == [10, 20, 30]


def test_every_column_of_a_history_is_the_events_own():
    stores = pl.Series(["443"] * 2 + ["292"] + ["443"] * 3 + [None])
    told = canonical(ROWS).with_columns(store_id=stores)
    dataset = split.build(told, items(["a", "b"]), CONFIG, end=END)
    found = histories(dataset.before(dataset.test), np.array([1], dtype=np.int32), np.array([0]))
    start = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
    assert found.times.tolist() == [start + 86_400, start + 12 * 86_400]
    assert found.prices.tolist() == [2, 2]
    assert found.quantities.tolist() == [1, 1]
    assert found.discounts.tolist() == [0, 0]
    assert found.stores.tolist() == [121, 40]


def test_the_catalogue_names_a_known_item_that_the_table_of_items_lacks():
    dataset = split.build(canonical(ROWS), items(["b"]), CONFIG, end=END)
    assert dataset.catalogue.select("item", "title", "category").rows() == [(1, "a", ""), (2, "b", "A")]


def test_the_order_of_the_rows_read_changes_no_byte_of_any_file(tmp_path):
    events = canonical(ROWS)
    for name, rows in (("one", events), ("two", events.reverse())):
        (tmp_path / name).mkdir()
        split.build(rows, items(["a", "b"]), CONFIG, end=END).save(tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["catalogue.parquet", "events.parquet", "items.json", "split.json", "users.json"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_dataset_that_was_loaded_has_the_same_windows_and_answers(tmp_path):
    dataset = build()
    dataset.save(tmp_path)
    again = Dataset.load(tmp_path)
    for own, other in zip(dataset.windows(2), again.windows(2), strict=True):
        assert np.array_equal(own.start, other.start)
        assert dataset.truth(own).items.tolist() == again.truth(other).items.tolist()


def test_no_events_are_refused():
    with pytest.raises(BadData, match="no event to build"):
        build([])
