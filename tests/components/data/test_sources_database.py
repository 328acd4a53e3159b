"""Tables and queries of SQLite: the other databases differ by their driver only."""

import sqlite3
from datetime import UTC, datetime

import pytest

from recloop.config import DataConfig
from recloop.data.sources.collect import collect
from recloop.data.sources.database import Database
from recloop.errors import BadData

COLUMNS = {"user_id": "customer", "item_id": "sku", "time": "at"}


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (customer TEXT, sku TEXT, at TEXT, state TEXT)")
    rows = [("007", "a", "2020-01-01 10:00:00", "paid"), ("2", "b", "2020-01-02 10:00:00", "open")]
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    connection.execute("CREATE TABLE products (sku TEXT, title TEXT)")
    connection.execute("INSERT INTO products VALUES ('a', 'Apple')")
    connection.execute("CREATE TABLE bare (customer TEXT, sku TEXT, at TEXT)")
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def read(url, events, **more):
    return collect(DataConfig(source="database", database=url, events=events, columns=COLUMNS, **more))


def test_a_table_is_read_with_its_catalogue(url):
    events, items = read(url, "orders", items="products", item_columns={"item_id": "sku"})
    assert events["user_id"].to_list() == ["007", "2"]
    assert events["time"][0] == datetime(2020, 1, 1, 10, tzinfo=UTC)
    assert items.select("item_id", "title").rows() == [("a", "Apple")]


def test_a_select_chooses_rows(url):
    events, _ = read(url, "SELECT customer, sku, at FROM orders WHERE state = 'paid';")
    assert events["item_id"].to_list() == ["a"]


def test_no_more_rows_are_fetched_than_are_looked_at(url):
    assert Database(url, "orders", None, limit=1).events().collect().height == 1


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ("oders", "no such table: oders"),
        ("DELETE FROM orders", "neither the name of a table nor a SELECT"),
        ("bare", "has no row"),
    ],
)
def test_what_cannot_be_read_is_named(url, events, says):
    with pytest.raises(BadData, match=says):
        read(url, events)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:///nowhere.db", "no SQLite file nowhere.db"),
        ("oracel://host/shop", "postgresql, mysql"),
        ("shop", "no URL that SQLAlchemy knows"),
    ],
)
def test_a_url_that_leads_nowhere_is_named(url, says):
    with pytest.raises(BadData, match=says):
        read(url, "orders")


def test_a_password_is_refused_and_a_name_for_it_is_not():
    with pytest.raises(ValueError, match="holds a password"):
        DataConfig(source="database", database="postgresql://reader:hunter2@host/shop", events="orders")
    DataConfig(source="database", database="postgresql://reader:${PASSWORD}@host/shop", events="orders")
