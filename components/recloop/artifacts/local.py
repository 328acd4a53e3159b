"""A folder as a store: atomic by rename, durable by fsync."""

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recloop.errors import BadArtifact, Conflict, Unavailable

LOCKS = ".locks"
PART = ".#"


class LocalStore:
    """Objects are files below one folder."""

    def __init__(self, uri: str) -> None:
        self.folder = Path(uri.removeprefix("file://")).absolute()
        self.root = f"file://{self.folder}"

    def read(self, key: str) -> bytes | None:
        """Bytes of the object; None where there is none."""
        try:
            return (self.folder / key).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(f"{self.root}/{key} cannot be read: {error}. Mend it and run again.") from error

    def write(self, key: str, data: bytes) -> None:
        """Put the object, whole or not at all."""
        with self._replacing(key) as temporary:
            temporary.write_bytes(data)

    def upload(self, path: Path, key: str) -> None:
        """Put a local file, whole or not at all."""
        with self._replacing(key) as temporary:
            shutil.copyfile(path, temporary)

    def download(self, key: str, path: Path) -> None:
        """Copy the object to a local file. Raises BadArtifact where there is none."""
        try:
            shutil.copyfile(self.folder / key, path)
        except FileNotFoundError:
            raise BadArtifact(f"{self.root}/{key} does not exist.") from None

    def keys(self, prefix: str) -> list[str]:
        """Sorted keys that start with the prefix."""
        start = self.folder / prefix if prefix.endswith("/") or not prefix else (self.folder / prefix).parent
        found = (p.relative_to(self.folder).as_posix() for p in start.rglob("*") if p.is_file())
        return sorted(k for k in found if k.startswith(prefix) and not _own(k))

    def delete(self, key: str) -> None:
        """Remove the object; no error where there is none."""
        (self.folder / key).unlink(missing_ok=True)

    def version(self, key: str) -> tuple[bytes, str] | None:
        """Bytes and version tag, read together; None where there is none."""
        data = self.read(key)
        return None if data is None else (data, _tag(data))

    def swap(self, key: str, data: bytes, *, expected: str | None) -> str:
        """Put the object only where its version tag is `expected`. Raises Conflict."""
        with self._locked(key):
            found = self.version(key)
            if (found[1] if found else None) != expected:
                raise Conflict(f"{self.root}/{key} was changed by another writer: {(found or (b'', ''))[0][:200]!r}")
            self.write(key, data)
        return _tag(data)

    @contextmanager
    def _replacing(self, key: str) -> Iterator[Path]:
        """A temporary file that becomes the object, fsynced, when the block ends well."""
        target = self.folder / key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=PART, dir=target.parent)
            os.close(handle)
            temporary = Path(name)
            try:
                yield temporary
                _fsync(temporary)
                temporary.replace(target)
                _fsync(target.parent)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise _unavailable(error, f"{self.root}/{key}") from error

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Hold the key's lock against other processes on this machine."""
        path = self.folder / LOCKS / key.replace("/", "_")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stream = path.open("w")
        except OSError as error:
            raise _unavailable(error, f"{self.root}/{key}") from error
        with stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield


def _own(key: str) -> bool:
    """Whether the file is the store's and no object."""
    return key.startswith(f"{LOCKS}/") or Path(key).name.startswith(PART)


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unavailable(error: OSError, where: str) -> Unavailable:
    if error.errno == errno.ENOSPC:
        return Unavailable(
            f"The disk is full: {where} was not written and nothing of it is visible. Free space, run again."
        )
    return Unavailable(f"{where} cannot be written: {error}. Nothing of it is visible; mend it and run again.")
