"""Files of a journal's folder: opened for appending, names made safe, locked against a second writer."""

import fcntl
import os
from pathlib import Path

from recloop.errors import Busy


def opened(path: Path) -> int:
    """A file to append to, made where it is not there; only its owner may read it."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def sync(folder: Path) -> None:
    """Make names in the folder safe."""
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def locked(folder: Path) -> int:
    """The lock on a folder, held until it is closed. Raises Busy."""
    lock = os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise Busy(f"Another process writes the journal {folder}. Stop it, or name another folder.") from None
    return lock
