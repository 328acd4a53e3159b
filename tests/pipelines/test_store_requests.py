"""S3 requests of a run: one or two for each file of the source, and a number for the store that no day adds to."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO

import boto3
import polars as pl
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.server import ThreadedMotoServer

from recloop.artifacts import read_manifest
from recloop.config import parse
from recloop_pipelines import ingest
from recloop_pipelines.places import place


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def requested(server, monkeypatch):
    """What was asked of the bucket `bucket`, by anyone: method and path of each request."""
    found = []
    answer = DomainDispatcherApplication.__call__

    def counted(self, environ, start_response):
        found.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return answer(self, environ, start_response)

    monkeypatch.setattr(DomainDispatcherApplication, "__call__", counted)
    told = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
    told |= {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server, "AWS_ALLOW_HTTP": "true"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="bucket")
    return found


def day_of_events(day):
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)
    times = [start + timedelta(hours=hour) for hour in range(12)]
    return pl.DataFrame({"user_id": [f"u{n % 4}" for n in range(12)], "item_id": ["a", "b", "c"] * 4, "time": times})


def collected(days, name, requested):
    """Collect from a partition a day -> requests, by what they were for."""
    for day in range(days):
        file = BytesIO()
        day_of_events(day).write_parquet(file)
        boto3.client("s3").put_object(Bucket="bucket", Key=f"{name}/dt={day:03d}/p.parquet", Body=file.getvalue())
    told = {"source": "table", "events": f"s3://bucket/{name}/", "event": "view"}
    config = parse({"scenario": name, "data": told}, name=name)
    requested.clear()
    uri = ingest.collect(config=config, out=place(config, "events", "one"))
    assert read_manifest(uri, kind="events").metrics["rows"] == 12 * days
    return Counter("source" if path.startswith(f"/bucket/{name}/") else "store" for _, path in requested)


def test_a_partition_more_is_at_most_two_requests_more_to_its_file_and_none_to_the_store(requested, monkeypatch):
    monkeypatch.setenv("RECLOOP_STORE", "s3://bucket/store")
    few, many = collected(1, "few", requested), collected(40, "many", requested)
    assert many["store"] == few["store"]
    assert many["source"] <= 2 * 40
