"""Files of a long piece of work that several processes may do and any may be killed in: whole or not there at all."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from recloop.errors import Busy

if TYPE_CHECKING:
    from recloop.data.dataset import Dataset

LOCK = ".lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder, made where it is not there, while the block works. Raises Busy where another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"Another process is at work in {folder}. Wait for it, or name another folder.") from None
        yield


def written(place: Path, text: str) -> None:
    """Put a text in a file at one stroke."""
    part = _part(place)
    part.write_text(text)
    part.replace(place)


def saved(dataset: "Dataset", place: Path) -> Path:
    """The folder of a dataset, written at one stroke; of several processes the first one's stays."""
    if _whole(place):
        return place
    part = _part(place)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    dataset.save(part)
    try:
        part.rename(place)
    except OSError:
        shutil.rmtree(part)
        if not _whole(place):
            raise
    return place


def _part(place: Path) -> Path:
    return place.with_name(f".{place.name}.{os.getpid()}.part")


def _whole(place: Path) -> bool:
    return (place / "split.json").exists()
