"""Files that arrive day by day: what is read again, what comes late, what is forgotten."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recloop.config import DataConfig
from recloop.data.sources.changes import without
from recloop.data.sources.collect import collect
from recloop.data.sources.files import Cache
from recloop.errors import BadData

HEAD = "user_id,item_id,time\n"
DAYS = {"1.csv": "u,a,2024-01-01\n", "2.csv": "u,b,2024-01-02\nv,a,2024-01-02\n", "3.csv": "v,b,2024-01-03\n"}


@pytest.fixture
def log(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()
    for name, rows in DAYS.items():
        (folder / name).write_text(HEAD + rows)
    return folder


def read(log, *, root=None, **more):
    """Events, and how many files were read for them."""
    config = DataConfig(events=str(log), **more)
    fresh = []
    cache = Cache.of(config, root, lambda n, _: fresh.append(n)) if root else None
    return collect(config, cache=cache)[0], len(fresh)


def test_only_new_files_are_read(log, tmp_path):
    assert read(log, root=tmp_path / "parts")[1] == 3
    (log / "4.csv").write_text(HEAD + "w,c,2024-01-04\n")
    events, fresh = read(log, root=tmp_path / "parts")
    assert (fresh, events["user_id"].to_list()) == (1, ["u", "u", "v", "v", "w"])


def test_known_files_give_the_same_bytes_as_read_ones(log, tmp_path):
    for name in ("first", "again"):
        read(log, root=tmp_path / "parts")[0].write_parquet(tmp_path / name)
    read(log)[0].write_parquet(tmp_path / "anew")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes() == (tmp_path / "anew").read_bytes()


def test_a_corrected_file_replaces_its_rows(log, tmp_path):
    read(log, root=tmp_path / "parts")
    (log / "2.csv").write_text(HEAD + "u,c,2024-01-02\n")
    events, fresh = read(log, root=tmp_path / "parts")
    assert (fresh, events["item_id"].to_list()) == (1, ["a", "c", "b"])


def test_files_that_are_gone_are_forgotten(log, tmp_path):
    read(log, root=tmp_path / "parts")
    (log / "3.csv").unlink()
    read(log, root=tmp_path / "parts")
    assert len(list((tmp_path / "parts").rglob("*.parquet"))) == 2


def test_another_way_of_reading_reads_all_files_again(log, tmp_path):
    read(log, root=tmp_path / "parts")
    events, fresh = read(log, root=tmp_path / "parts", timezone="Europe/Berlin")
    assert (fresh, events["time"][0].hour) == (3, 23)


def test_a_row_that_a_later_file_repeats_is_a_duplicate(log):
    (log / "4.csv").write_text(HEAD + DAYS["1.csv"])
    assert read(log)[0]["reason"].to_list() == [None, None, None, None, "duplicate_row"]


def test_a_file_without_rows_is_a_day_without_events(log):
    (log / "4.csv").write_text(HEAD)
    assert read(log)[0].height == 4


def test_an_event_below_the_watermark_is_late_and_one_above_is_not(log):
    (log / "4.csv").write_text(HEAD + "w,a,2024-01-02\nw,a,2024-01-01\n")
    events = read(log, lateness_days=1)[0][-2:]
    assert events.select("reason", "detail").rows() == [
        (None, None),
        ("too_late", "watermark=2024-01-02T00:00:00+00:00"),
    ]


def test_without_a_lateness_no_event_is_late(log):
    (log / "4.csv").write_text(HEAD + "w,a,2020-01-01\n")
    assert read(log)[0]["reason"].null_count() == 5


def test_one_time_in_the_future_does_not_close_the_days_before_it(log):
    rows = "".join(f"u{n},a,2024-01-03\n" for n in range(200))
    (log / "3.csv").write_text(HEAD + rows + "v,b,2999-01-01\n")
    (log / "4.csv").write_text(HEAD + "w,a,2024-01-04\n")
    assert read(log, lateness_days=0)[0]["reason"][-1] is None


@pytest.mark.parametrize(
    ("tombstones", "left"),
    [
        ("user_id\nu\n", ["v-a", "v-b"]),
        ("user_id,item_id\nu,a\n", ["u-b", "v-a", "v-b"]),
        ("item_id\na\n", ["u-b", "v-b"]),
        ("user_id,item_id\nu,a\n,b\n", ["v-a"]),
        ("user_id\nnobody\n", ["u-a", "u-b", "v-a", "v-b"]),
    ],
)
def test_a_tombstone_takes_what_it_names(log, tmp_path, tombstones, left):
    (tmp_path / "gone.csv").write_text(tombstones)
    events, _ = read(log, deletions=str(tmp_path / "gone.csv"))
    assert events.select(pl.format("{}-{}", "user_id", "item_id")).to_series().to_list() == left


def test_a_tombstone_names_an_event_by_its_id(log, tmp_path):
    gone = read(log)[0]["event_id"][1]
    (tmp_path / "gone.csv").write_text(f"event_id\n{gone}\n")
    assert gone not in read(log, deletions=str(tmp_path / "gone.csv"))[0]["event_id"].to_list()


@pytest.mark.parametrize("table", ["reason\nrefund\n", "user_id,reason\n,refund\n"])
def test_a_tombstone_that_names_nothing_is_an_error_and_not_everything(log, tmp_path, table):
    (tmp_path / "gone.csv").write_text(table)
    with pytest.raises(BadData, match="names no event"):
        read(log, deletions=str(tmp_path / "gone.csv"))


PAIRS = st.tuples(st.sampled_from("uvw"), st.sampled_from("abc"))


@settings(deadline=None)
@given(st.lists(PAIRS), st.lists(PAIRS, min_size=1))
def test_exactly_the_named_pairs_are_gone(rows, gone):
    start = datetime(2024, 1, 1)
    names = [(u, i, str(n), start + timedelta(days=n)) for n, (u, i) in enumerate(rows)]
    events = pl.DataFrame(
        names, schema=["user_id", "item_id", "event_id", "time"], orient="row", schema_overrides={"event_id": pl.String}
    )
    table = pl.DataFrame(gone, schema=["user_id", "item_id"], orient="row").lazy()
    left = without(events.cast({"user_id": pl.String, "item_id": pl.String}), table, {}, name="gone")
    assert left.select("user_id", "item_id").rows() == [pair for pair in rows if pair not in gone]
