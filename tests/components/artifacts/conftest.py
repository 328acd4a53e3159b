import uuid

import boto3
import pytest
from moto import mock_aws

from recloop.artifacts.s3 import S3Store
from recloop.artifacts.store import open_store


@pytest.fixture
def bucket(monkeypatch):
    """URI of an empty bucket in memory."""
    secrets = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="bucket")
        yield "s3://bucket"


@pytest.fixture
def seaweedfs(embedded, monkeypatch):
    """URI of an empty place in the embedded object store."""
    for name, value in embedded.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    S3Store(embedded["RECLOOP_STORE"]).ensure_bucket()
    return f"{embedded['RECLOOP_STORE']}/tests/{uuid.uuid4().hex}"


@pytest.fixture(params=["folder", "moto", "seaweedfs"])
def root(request, tmp_path):
    """URI of an empty place in each kind of store."""
    if request.param == "folder":
        return f"file://{tmp_path}/store"
    return f"{request.getfixturevalue('bucket' if request.param == 'moto' else 'seaweedfs')}/place"


@pytest.fixture
def store(root):
    return open_store(root)


@pytest.fixture
def s3(bucket) -> S3Store:
    return S3Store(f"{bucket}/p")
