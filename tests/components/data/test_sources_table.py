from datetime import UTC, datetime

import boto3
import polars as pl
import pytest
from moto.server import ThreadedMotoServer

from recloop.config import DataConfig
from recloop.data.sources.collect import collect
from recloop.errors import BadData, Unavailable

ROWS = pl.DataFrame({"user_id": ["u", "007"], "item_id": ["a", "b"], "time": ["2020-01-01", "2020-01-02"]})
MOMENTS = [datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)]


def collected(path, **config):
    return collect(DataConfig(events=str(path), **config))


def write(frame, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    writers = {".csv": frame.write_csv, ".parquet": frame.write_parquet, ".jsonl": frame.write_ndjson}
    writers[path.suffix](path)
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.parquet", "log.jsonl"])
def test_each_format_gives_the_same_events(tmp_path, name):
    events, items = collected(write(ROWS, tmp_path / name))
    assert events.select("user_id", "item_id", "time").rows() == [("u", "a", MOMENTS[0]), ("007", "b", MOMENTS[1])]
    assert items["item_id"].to_list() == ["a", "b"]


def test_an_id_of_digits_in_csv_stays_text(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id,time\n007,1.0,2020-01-01\n")
    assert collected(tmp_path / "log.csv")[0].select("user_id", "item_id").row(0) == ("007", "1.0")


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_folder_is_read_in_the_order_of_its_files(tmp_path, ending):
    write(ROWS[1:], tmp_path / "log" / "b" / f"1.{ending}")
    write(ROWS[:1], tmp_path / "log" / "a" / f"2.{ending}")
    (tmp_path / "log" / "_SUCCESS").touch()
    assert collected(tmp_path / "log")[0]["user_id"].to_list() == ["u", "007"]


def test_partitions_of_parquet_are_columns(tmp_path):
    for kind in ("view", "cart"):
        write(ROWS, tmp_path / "log" / f"event={kind}" / "1.parquet")
    assert collected(tmp_path / "log")[0]["event"].to_list() == ["cart", "cart", "view", "view"]


def test_a_pattern_chooses_files(tmp_path):
    write(ROWS, tmp_path / "x" / "a1.csv")
    write(ROWS, tmp_path / "x" / "b1.csv")
    assert collected(tmp_path / "x" / "a*.csv")[0].height == 2
    assert collected(tmp_path / "*" / "b1.csv")[0].height == 2


def test_an_items_file_is_the_catalogue(tmp_path):
    items = write(pl.DataFrame({"sku": ["z"], "title": ["Zinc"]}), tmp_path / "items.csv")
    _, found = collected(write(ROWS, tmp_path / "log.csv"), items=str(items), item_columns={"item_id": "sku"})
    assert found.select("item_id", "title").rows() == [("z", "Zinc")]


def test_events_from_until_on_are_left_out(tmp_path):
    events, _ = collected(write(ROWS, tmp_path / "log.csv"), until=MOMENTS[1])
    assert events["user_id"].to_list() == ["u"]


def test_a_json_column_of_mixed_types_is_read_and_the_text_reported(tmp_path):
    (tmp_path / "log.jsonl").write_text(
        '{"user_id": 1, "item_id": "a", "time": 1577836800, "price": 1.5}\n'
        '{"user_id": 2, "item_id": "a", "time": 1577836800, "price": "free"}\n'
    )
    events, _ = collected(tmp_path / "log.jsonl")
    assert events.select("price", "detail").rows() == [(1.5, None), (None, "price=free")]


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(BadData, match=r"There is no file at .*nowhere.csv"):
        collected(tmp_path / "nowhere.csv")


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "log.csv").touch()
    with pytest.raises(BadData, match=r"log\.csv is empty"):
        collected(tmp_path / "log.csv")


def test_a_header_without_rows_is_an_error(tmp_path):
    with pytest.raises(BadData, match="no event"):
        collected(write(ROWS.clear(), tmp_path / "log.csv"))


def test_bytes_of_another_form_are_an_error(tmp_path):
    (tmp_path / "log.parquet").write_text("not parquet")
    with pytest.raises(BadData, match=r"log\.parquet cannot be read"):
        collected(tmp_path / "log.parquet")


def test_a_broken_line_is_an_error(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id,time\nu,a,2020-01-01\nu,a,2020-01-01,surplus,cells\n")
    with pytest.raises(BadData, match=r"log\.csv cannot be read"):
        collected(tmp_path / "log.csv")


def test_a_folder_of_two_formats_is_an_error(tmp_path):
    write(ROWS, tmp_path / "log" / "1.csv")
    write(ROWS, tmp_path / "log" / "2.parquet")
    with pytest.raises(BadData, match="formats csv and parquet; keep one"):
        collected(tmp_path / "log")


def test_no_file_named_is_an_error():
    with pytest.raises(BadData, match=r"data.events names no file"):
        collect(DataConfig(source="table"))


@pytest.fixture(scope="module")
def bucket():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", **keys)
    client.create_bucket(Bucket="events")
    client.put_object(Bucket="events", Key="log.csv", Body=ROWS.write_csv().encode())
    yield keys | {"aws_endpoint_url": f"http://{host}:{port}", "aws_region": "us-east-1"}
    server.stop()


def test_s3_is_read_with_the_storage_given(bucket):
    events, _ = collect(DataConfig(events="s3://events/log.csv"), storage=bucket)
    assert events["user_id"].to_list() == ["u", "007"]


def test_s3_is_read_with_the_endpoint_and_keys_of_the_environment(bucket, monkeypatch):
    for name, value in bucket.items():
        monkeypatch.setenv(name.upper(), value)
    events, _ = collect(DataConfig(events="s3://events/log.csv"))
    assert events["user_id"].to_list() == ["u", "007"]


def test_a_pattern_in_s3_chooses_files(bucket):
    events, _ = collect(DataConfig(events="s3://events/*.csv"), storage=bucket)
    assert events.height == 2


def test_a_missing_object_in_s3_is_an_error(bucket):
    with pytest.raises(BadData, match=r"nothing at s3://events/other.csv"):
        collect(DataConfig(events="s3://events/other.csv"), storage=bucket)


def test_an_endpoint_that_is_away_is_unavailable(bucket):
    away = bucket | {"aws_endpoint_url": "http://127.0.0.1:9", "max_retries": 0}
    with pytest.raises(Unavailable, match="Check the endpoint"):
        collect(DataConfig(events="s3://events/log.csv"), storage=away)
