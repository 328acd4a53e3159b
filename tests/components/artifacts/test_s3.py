import socket

import pytest
from botocore.exceptions import ClientError

from recloop.artifacts.s3 import S3Store
from recloop.errors import Conflict, Unavailable


def failing(code, monkeypatch, store, call):
    def broken(**_):
        raise ClientError({"Error": {"Code": code, "Message": code}}, call)

    monkeypatch.setattr(store.client, call, broken)


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "AccessDenied", "RequestTimeout"])
def test_an_error_of_the_service_is_unavailable_and_names_the_object(s3, monkeypatch, code):
    failing(code, monkeypatch, s3, "get_object")
    with pytest.raises(Unavailable, match=rf"s3://bucket/p/k.*{code}"):
        s3.read("k")


def test_a_missing_bucket_is_unavailable_and_not_an_empty_store(bucket):
    with pytest.raises(Unavailable, match="NoSuchBucket"):
        S3Store("s3://nowhere/p").keys("")


@pytest.mark.parametrize("code", ["PreconditionFailed", "ConditionalRequestConflict", "412", "409"])
def test_every_way_to_lose_a_race_is_a_conflict(s3, monkeypatch, code):
    s3.write("k", b"winner")
    failing(code, monkeypatch, s3, "put_object")
    with pytest.raises(Conflict, match="winner"):
        s3.swap("k", b"mine", expected=None)


def test_a_swap_that_meets_another_error_is_unavailable(s3, monkeypatch):
    failing("SlowDown", monkeypatch, s3, "put_object")
    with pytest.raises(Unavailable):
        s3.swap("k", b"mine", expected=None)


def test_a_disk_that_a_download_fills_is_unavailable(s3, tmp_path):
    s3.write("k", b"data")
    with pytest.raises(Unavailable, match="s3://bucket/p/k"):
        s3.download("k", tmp_path / "missing" / "folder" / "k")


def test_ensure_bucket_makes_it_once(bucket):
    store = S3Store("s3://fresh/p")
    store.ensure_bucket()
    store.ensure_bucket()
    assert store.keys("") == []


def test_a_dead_endpoint_is_unavailable_by_name(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
        S3Store("s3://b/p").read("k")


def test_a_bucket_without_a_prefix_is_a_store(bucket):
    store = S3Store(f"{bucket}/")
    store.write("k", b"one")
    assert (store.keys(""), store.root) == (["k"], "s3://bucket")


def test_a_file_of_some_megabytes_is_one_request_up_and_two_down(s3, tmp_path):
    asked = []
    s3.client.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    (tmp_path / "f").write_bytes(bytes(17 << 20))
    s3.upload(tmp_path / "f", "f")
    s3.download("f", tmp_path / "g")
    assert asked == ["PutObject", "HeadObject", "GetObject"]
