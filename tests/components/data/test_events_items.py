import polars as pl
import pytest

from recloop.data.items import conform_items, items_of
from recloop.errors import BadData


def conformed(*rows, columns=None):
    return conform_items(pl.DataFrame(list(rows)).lazy(), columns or {}, name="items.csv")


def test_items_are_sorted_and_described():
    found = conformed({"item_id": "b", "title": "Tea", "brand": "Leaf"}, {"item_id": "a", "title": None, "brand": None})
    assert found.select("item_id", "title", "text").rows() == [("a", "a", "a"), ("b", "Tea", "Tea Leaf")]


def test_item_columns_are_mapped():
    assert conformed({"sku": 7}, columns={"item_id": "sku"})["item_id"].to_list() == ["7"]


def test_equal_rows_of_an_item_are_one():
    assert conformed({"item_id": "a"}, {"item_id": "a"}).height == 1


def test_rows_of_an_item_that_differ_are_an_error():
    with pytest.raises(BadData, match=r"1 items have rows that differ in items.csv, first 'a'"):
        conformed({"item_id": "a", "title": "x"}, {"item_id": "a", "title": "y"})


def test_an_item_without_an_id_is_an_error():
    with pytest.raises(BadData, match=r"1 of 2 rows of items.csv have no item id"):
        conformed({"item_id": "a"}, {"item_id": None})


def test_without_a_catalogue_the_items_are_those_of_the_events():
    events = pl.DataFrame({"item_id": ["b", "a", "b", None]})
    assert items_of(events)["item_id"].to_list() == ["a", "b"]
