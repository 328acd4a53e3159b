"""`recloop init`: from a stranger's files to a scenario that runs."""

import json
import sqlite3

import polars as pl
import pytest
from typer.testing import CliRunner

from recloop.artifacts import read_manifest
from recloop.config import load
from recloop.errors import BadConfig, BadData
from recloop_pipelines import ingest
from recloop_pipelines.__main__ import app
from recloop_pipelines.places import place
from recloop_pipelines.settings import settings
from recloop_pipelines.source import filled
from shops import events
from topics import cluster


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with a CSV of orders as a shop would write it."""
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    rows = events().head(2_000).rename({"customer": "Kunde", "product": "SKU", "bought_at": "Bestellt am"})
    rows.write_csv(tmp_path / "orders.csv", separator=";", datetime_format="%d.%m.%Y %H:%M")
    return tmp_path


def init(*words):
    return CliRunner().invoke(app, ["init", *words], catch_exceptions=False)


def told(*words):
    done = init(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_what_is_written_can_be_ingested(here):
    told("my-shop", "--events", "orders.csv", "--column", "time=Bestellt am", "--timezone", "Europe/Berlin")
    config = load(here / "configs/my-shop.yaml")
    assert (config.data.separator, config.data.time_format) == (";", "%d.%m.%Y %H:%M")
    made = ingest.collect(config=config, out=place(config, "events", "one"))
    assert read_manifest(made, kind="events").metrics["rows"] == 2_000


def test_json_says_what_was_understood_and_what_is_doubtful(here):
    found = told("my-shop", "--events", "orders.csv", "--column", "time=Bestellt am")
    columns = {one["canonical"]: one["column"] for one in found["columns"]}
    assert columns["user_id"] == "Kunde"
    assert (found["rows"], found["users"], found["layout"]) == (2_000, 35, "plain")
    assert any("no zone is named" in doubt for doubt in found["doubts"])


def test_a_line_with_a_field_too_many_is_bad_data_that_names_the_file(here):
    (here / "ragged.csv").write_text("user,item,time\na,b,2024-01-01\na,b,2024-01-02,x\n")
    with pytest.raises(BadData, match=r"ragged\.csv cannot be read"):
        init("t", "--events", "ragged.csv")


def test_people_see_doubts_and_the_next_command(here):
    said = init("my-shop", "--events", "orders.csv", "--column", "time=Bestellt am").output
    assert "every row is taken for a purchase" in said
    assert "Next: recloop run configs/my-shop.yaml" in said


def test_a_file_that_is_there_is_kept_unless_it_is_forced(here):
    path = here / "configs/my-shop.yaml"
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(BadConfig, match="--force"):
        init("my-shop", "--events", "orders.csv")
    assert path.read_text() == "mine"
    told("my-shop", "--events", "orders.csv", "--column", "time=Bestellt am", "--force")
    assert path.read_text() != "mine"


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "is empty"), ("a;b\n", "no row"), ("Kunde;SKU\n1;2\n1;3\n", "name of the time. None could")],
    ids=["empty", "no row", "no time"],
)
def test_nothing_is_written_for_what_cannot_be_understood(here, content, says):
    (here / "bad.csv").write_text(content)
    with pytest.raises(BadData, match=says):
        init("bad", "--events", "bad.csv")
    assert not (here / "configs").exists()


def test_a_folder_of_files_is_one_table(here):
    (here / "log").mkdir()
    rows = events().head(300)
    for n in range(3):
        rows[n * 100 : (n + 1) * 100].write_parquet(here / "log" / f"{n}.parquet")
    assert told("log", "--events", "log", "--column", "time=bought_at")["rows"] == 300


def test_a_table_of_a_database_is_read(here):
    base = sqlite3.connect(here / "shop.db")
    base.execute("CREATE TABLE orders (customer, product, bought_at, price)")
    rows = events().head(300).select("customer", "product", pl.col("bought_at").dt.to_string("%F %T"), "price").rows()
    base.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    base.commit()
    base.close()
    words = ("--events", "orders", "--database", "sqlite:///shop.db", "--column", "time=bought_at")
    assert told("books", *words)["rows"] == 300
    assert load(here / "configs/books.yaml").data.source == "database"


def test_a_database_given_as_events_is_shown_the_way(here):
    with pytest.raises(BadData, match="give it as --database"):
        init("shop", "--events", "postgresql://reader@host/shop")


def test_a_password_comes_from_the_environment_only(here, monkeypatch):
    (here / "x.yaml").write_text(
        "scenario: x\ndata: {source: database, database: 'postgresql://me:${SHOP_PASSWORD}@host/shop', events: orders}\n"
    )
    data = load(here / "x.yaml").data
    with pytest.raises(BadConfig, match=r"export SHOP_PASSWORD="):
        filled(data)
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    assert filled(data).database == "postgresql://me:hunter2@host/shop"


def test_a_topic_of_kafka_is_read(here):
    brokers = cluster()
    rows = events().head(300).with_columns(pl.col("bought_at").dt.to_string("%+"))
    brokers.send("orders", *rows.to_dicts())
    found = told("topic", "--events", brokers.url("orders"), "--column", "time=bought_at")
    assert (found["rows"], found["users"]) == (300, rows["customer"].n_unique())
    assert load(here / "configs/topic.yaml").data.source == "kafka"
