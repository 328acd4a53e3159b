"""Forms in which shops write the same table, each set in the section `data`."""

from datetime import UTC, datetime

import pytest

from recloop.config import DataConfig
from recloop.data.sources.collect import collect

HEAD = "user_id,item_id,time\n"


@pytest.fixture
def read(tmp_path):
    """Content of a file, settings -> (events, items)."""

    def reader(content, *, name="log.csv", **config):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return collect(DataConfig(events=str(path), **config))

    return reader


def test_another_separator_and_a_decimal_comma(read):
    events, _ = read("user_id;item_id;time;price\nu;a;2024-01-01;1.234,50\n", separator=";", decimal=",")
    assert events["price"].to_list() == [1234.5]


def test_characters_of_an_old_windows(read):
    events, _ = read(HEAD.encode() + "Jürgen,a,2024-01-01\n".encode("windows-1252"), encoding="windows-1252")
    assert events["user_id"].to_list() == ["Jürgen"]


def test_an_array_of_json(read):
    events, _ = read('[{"user_id": "u", "item_id": "a", "time": 1704067200}]', name="log.json")
    assert events["time"].to_list() == [datetime(2024, 1, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("31.01.2024 13:30", "%d.%m.%Y %H:%M"),
        ("20240131133000", "%Y%m%d%H%M%S"),
        ("31/Jan/2024:14:30:00 +0100", "%d/%b/%Y:%H:%M:%S %z"),
    ],
)
def test_times_of_a_named_form(read, text, form):
    events, _ = read(f"{HEAD}u,a,{text}\n", time_format=form)
    assert events["time"].to_list() == [datetime(2024, 1, 31, 13, 30, tzinfo=UTC)]


def test_times_of_a_named_form_lie_in_the_zone(read):
    events, _ = read(f"{HEAD}u,a,31.01.2024 13:30\n", time_format="%d.%m.%Y %H:%M", timezone="Europe/Berlin")
    assert events["time"].to_list() == [datetime(2024, 1, 31, 12, 30, tzinfo=UTC)]


@pytest.mark.parametrize("text", ["2024-01-01 10:00:00 UTC", "2024-01-01 10:00:00 GMT", "2024-01-01 05:00:00 -0500"])
def test_zones_after_a_blank(read, text):
    events, _ = read(f"{HEAD}u,a,{text}\n", timezone="Asia/Tokyo")
    assert events["time"].to_list() == [datetime(2024, 1, 1, 10, tzinfo=UTC)]


def test_words_for_kinds_are_translated_and_skipped_ones_are_left_out(read):
    rows = "user_id,item_id,time,event\nu,a,2024-01-01,AddToCart\nu,b,2024-01-01,scroll\nu,c,2024-01-01,view\n"
    events, _ = read(rows, kinds={"addtocart": "cart", "scroll": "skip"})
    assert events.select("item_id", "event").rows() == [("a", "cart"), ("c", "view")]


def test_items_are_described_by_the_events_as_they_were_last(read):
    rows = "user_id,item_id,time,name,kind\nu,a,2024-01-01,Mug,Home|Cups\nu,a,2024-01-02,Big mug,\nu,b,2024-01-03,,\n"
    _, items = read(rows, item_columns={"title": "name", "category": "kind"}, category_separator="|")
    assert items.select("item_id", "title", "category").rows() == [("a", "Big mug", "Home > Cups"), ("b", "b", None)]
