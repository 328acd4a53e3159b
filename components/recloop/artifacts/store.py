"""Where bytes lie: one protocol, a local folder and S3 behind it."""

from pathlib import Path
from typing import Protocol

from recloop.errors import BadConfig


class Store(Protocol):
    """Objects by key, with an atomic compare-and-set. Keys are relative, with forward slashes."""

    root: str
    """URI of the store, without a slash at its end"""

    def read(self, key: str) -> bytes | None:
        """Bytes of the object; None where there is none."""

    def write(self, key: str, data: bytes) -> None:
        """Put the object, whole or not at all."""

    def upload(self, path: Path, key: str) -> None:
        """Put a local file, whole or not at all."""

    def download(self, key: str, path: Path) -> None:
        """Copy the object to a local file. Raises BadArtifact where there is none."""

    def keys(self, prefix: str) -> list[str]:
        """Sorted keys that start with the prefix."""

    def delete(self, key: str) -> None:
        """Remove the object; no error where there is none."""

    def version(self, key: str) -> tuple[bytes, str] | None:
        """Bytes and version tag, read together; None where there is none."""

    def swap(self, key: str, data: bytes, *, expected: str | None) -> str:
        """Put the object only where its version tag is `expected` (None: where it does not exist).

        Returns the new tag. Raises Conflict where another writer was first.
        """


def open_store(uri: str) -> Store:
    """s3://bucket/prefix, file:///folder or a plain folder -> Store."""
    if uri.startswith("s3://"):
        from recloop.artifacts.s3 import S3Store

        return S3Store(uri)
    if "://" in uri and not uri.startswith("file://"):
        raise BadConfig(f"The store {uri} is neither s3:// nor a folder. Set RECLOOP_STORE to one of them.")
    from recloop.artifacts.local import LocalStore

    return LocalStore(uri)
