import polars as pl
import pytest

from recloop.config import DataConfig
from recloop.data.onboarding.understand import Hints, understand
from recloop.errors import BadData

ORDERS = {
    "CustomerID": ["1", "1", "2"],
    "Stock Code": ["a", "b", "a"],
    "InvoiceDate": ["2024-01-01 10:00:00", "2024-01-02 10:00:00", "2024-01-03 10:00:00"],
    "UnitPrice": ["1.50", "2.00", "1.50"],
}


def understood(rows, items=None, **hints):
    return understand(pl.LazyFrame(rows), items, Hints(**hints))


def test_usual_names_are_known_however_they_are_written():
    columns = understood(ORDERS).data["columns"]
    assert columns == {"time": "InvoiceDate", "item_id": "Stock Code", "user_id": "CustomerID", "price": "UnitPrice"}


def test_what_is_written_is_a_section_of_a_configuration():
    assert DataConfig(events="x.csv", **understood(ORDERS).data).event == "purchase"


def test_names_that_nobody_uses_are_told_by_what_is_in_them():
    rows = {"wer": ["1", "1", "2", "2"], "item": ["a", "b", "a", "b"], "wann": ["2024-01-01", "2024-01-02"] * 2}
    found = understood(rows)
    assert found.data["columns"] == {"time": "wann", "item_id": "item", "user_id": "wer"}
    assert any("user_id" in doubt for doubt in found.doubts)


def test_two_columns_that_could_both_be_the_user_are_asked_for():
    rows = {"x": ["1", "1", "2", "2"], "y": ["5", "5", "5", "6"], "sku": list("abab"), "time": ["2024-01-01"] * 4}
    with pytest.raises(BadData, match=r"Several could: 'x', 'y'.*--column user_id=COLUMN"):
        understood(rows)
    assert understood(rows, columns={"user_id": "y"}).data["columns"]["user_id"] == "y"


def test_a_second_column_of_the_kind_is_a_doubt():
    doubts = understood(ORDERS | {"visitor_id": ["7", "8", "9"]}).doubts
    assert any("could also be 'visitor_id'" in doubt for doubt in doubts)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"user_id": ["u"], "item_id": ["i"]}, "name of the time. None could"),
        ({"user_id": [], "item_id": [], "time": []}, "no row"),
        ({"user_id": ["u", "u"], "item_id": ["i", "j"], "at": ["soon", "late"]}, "--column time=COLUMN"),
    ],
    ids=["no time", "empty", "unreadable"],
)
def test_what_cannot_be_understood_is_said_with_the_way_out(rows, says):
    with pytest.raises(BadData, match=says):
        understood(rows)


def test_a_column_that_is_named_and_not_there_lists_those_that_are():
    with pytest.raises(BadData, match=r"no column 'kunde'.*'CustomerID'"):
        understood(ORDERS, columns={"user_id": "kunde"})


def test_words_of_the_event_column_are_kinds():
    found = understood(ORDERS | {"behavior": ["pv", "fav", "buy"]})
    assert found.data["kinds"] == {"buy": "purchase", "fav": "cart", "pv": "view"}


def test_an_unknown_word_is_a_doubt_until_it_is_said():
    rows = ORDERS | {"action": ["view", "view", "zap"]}
    assert any("'zap' (1 rows)" in doubt for doubt in understood(rows).doubts)
    said = understood(rows, kinds={"zap": "skip"})
    assert said.data["kinds"] == {"zap": "skip"}
    assert not any("zap" in doubt for doubt in said.doubts)


def test_ratings_are_events_of_their_kind():
    rows = {"userId": [1, 1], "movieId": [1, 2], "rating": [4.0, 3.5], "timestamp": [964982703, 964982704]}
    assert understood(rows).data["event"] == "rating"


def test_a_decimal_comma_is_found():
    assert understood(ORDERS | {"UnitPrice": ["1,50", "1.234,00", "2"]}).data["decimal"] == ","


def test_titles_beside_the_events_are_the_catalogue():
    found = understood(ORDERS | {"Description": ["Mug", "Pin", "Mug"], "Genres": ["a|b", "a", "a|b"]})
    assert found.data["item_columns"] == {"title": "Description", "category": "Genres"}
    assert found.data["category_separator"] == "|"


def test_a_catalogue_is_joined_by_the_column_of_the_events():
    items = pl.LazyFrame({"Stock Code": ["a", "b"], "Name": ["Mug", "Pin"]})
    assert understood(ORDERS, items).data["item_columns"] == {"item_id": "Stock Code", "title": "Name"}


def test_a_total_is_not_taken_for_a_price():
    rows = {k: v for k, v in ORDERS.items() if k != "UnitPrice"} | {"order_total": ["9", "9", "9"]}
    found = understood(rows)
    assert "price" not in found.data["columns"]
    assert any("'order_total' looks like the total" in doubt for doubt in found.doubts)


def test_the_zone_is_doubted_unless_it_is_known():
    assert any("no zone is named" in doubt for doubt in understood(ORDERS).doubts)
    assert understood(ORDERS, timezone="Europe/Berlin").data["timezone"] == "Europe/Berlin"
    zoned = ORDERS | {"InvoiceDate": [f"2024-01-0{n}T10:00:00Z" for n in (1, 2, 3)]}
    assert not any("zone" in doubt for doubt in understood(zoned).doubts)


def test_a_known_export_needs_no_columns():
    rows = [{"messageId": "m", "userId": "u", "event": "Product Viewed", "timestamp": "2024-01-01T00:00:00Z"}]
    rows[0]["properties"] = {"product_id": "a"}
    found = understand(pl.LazyFrame(rows), None, Hints())
    assert found.data == {"layout": "segment"}
    assert found.words == (("product viewed", 1, "view"),)
