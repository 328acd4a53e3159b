"""Files of a journal's folder: opened for appending, names made safe, locked against a second writer."""

import fcntl
import os
from pathlib import Path

from recloop.errors import Busy


def make(folder: Path) -> None:
    """The folder, made where it is not there, under names that are safe."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync(one.parent)


def opened(path: Path, *, empty: bool = False) -> int:
    """A file to append to, made where it is not there; only its owner may read it. empty: what was in it is not wanted."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if empty else 0), 0o600)


def sync(folder: Path) -> None:
    """Make names in the folder safe."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
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
