"""S3 as a store: whole objects, conditional writes. The only module that knows boto3."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from recloop.errors import BadArtifact, Conflict, Unavailable

PART = 64 << 20
"""bytes of one request for a part of a large file: eight times the default, so an eighth of the requests"""
WHOLE = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
MISSING = {"404", "NoSuchKey", "NotFound"}
LOST = {"412", "409", "PreconditionFailed", "ConditionalRequestConflict"}


class S3Store:
    """Objects of one bucket below one prefix. Endpoint and credentials come from the standard AWS chain."""

    def __init__(self, uri: str) -> None:
        self.root = uri.rstrip("/")
        self.bucket, _, prefix = self.root.removeprefix("s3://").partition("/")
        self.prefix = f"{prefix}/" if prefix else ""
        retries: Any = {"max_attempts": 3, "mode": "standard"}
        # a session of its own: the default one keeps the first credentials that it saw
        self.client = boto3.session.Session().client(
            "s3", config=Config(retries=retries, connect_timeout=5, read_timeout=60)
        )

    def read(self, key: str) -> bytes | None:
        """Bytes of the object; None where there is none."""
        found = self.version(key)
        return None if found is None else found[0]

    def write(self, key: str, data: bytes) -> None:
        """Put the object, whole or not at all."""
        with self._calling(key):
            self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data)

    def upload(self, path: Path, key: str) -> None:
        """Put a local file, whole or not at all (in parts of 64 MiB where it is larger)."""
        with self._calling(key):
            self.client.upload_file(str(path), self.bucket, self.prefix + key, Config=WHOLE)

    def download(self, key: str, path: Path) -> None:
        """Copy the object to a local file. Raises BadArtifact where there is none."""
        with self._calling(key):
            try:
                self.client.download_file(self.bucket, self.prefix + key, str(path), Config=WHOLE)
            except ClientError as error:
                if _code(error) in MISSING:
                    raise BadArtifact(f"{self.root}/{key} does not exist.") from None
                raise

    def keys(self, prefix: str) -> list[str]:
        """Sorted keys that start with the prefix."""
        with self._calling(prefix):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix + prefix
            )
            return sorted(o["Key"].removeprefix(self.prefix) for page in pages for o in page.get("Contents", []))

    def delete(self, key: str) -> None:
        """Remove the object; no error where there is none."""
        with self._calling(key):
            self.client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def version(self, key: str) -> tuple[bytes, str] | None:
        """Bytes and version tag, read together; None where there is none."""
        with self._calling(key):
            try:
                found = self.client.get_object(Bucket=self.bucket, Key=self.prefix + key)
                return found["Body"].read(), found["ETag"]
            except ClientError as error:
                if _code(error) in MISSING:
                    return None
                raise

    def swap(self, key: str, data: bytes, *, expected: str | None) -> str:
        """Put the object only where its version tag is `expected`. Raises Conflict."""
        with self._calling(key):
            try:
                return self._put_if(key, data, expected)
            except ClientError as error:
                if _code(error) not in LOST | MISSING:
                    raise
        winner = self.read(key) or b""
        raise Conflict(f"{self.root}/{key} was changed by another writer: {winner[:200]!r}")

    def _put_if(self, key: str, data: bytes, expected: str | None) -> str:
        at = {"Bucket": self.bucket, "Key": self.prefix + key}
        if expected is None:
            return self.client.put_object(**at, Body=data, IfNoneMatch="*")["ETag"]  # type: ignore[arg-type]
        return self.client.put_object(**at, Body=data, IfMatch=expected)["ETag"]  # type: ignore[arg-type]

    def ensure_bucket(self) -> None:
        """Make the bucket where it does not exist."""
        with self._calling(""):
            try:
                self.client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if _code(error) not in MISSING | {"NoSuchBucket"}:
                    raise
                self.client.create_bucket(Bucket=self.bucket)

    @contextmanager
    def _calling(self, key: str) -> Iterator[None]:
        """Turn errors of boto, and of the disk that a download fills, into Unavailable that names the place."""
        try:
            yield
        except (BotoCoreError, ClientError, Boto3Error, OSError) as error:
            raise Unavailable(
                f"S3 did not serve {self.root}/{key}: {error}. Check the endpoint and credentials "
                "(`recloop status`), then run again: nothing half-written is visible."
            ) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
