"""A table of several files: each is read once, and again only when its bytes or the way of reading change."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import polars as pl

from recloop.config import DataConfig
from recloop.data.sources.table import local

FORM = 1
"""raised when the same file is read into other rows than before"""
CHUNK = 1 << 20
APART = ("events", "items", "item_columns", "category_separator", "deletions", "lateness_days")
"""keys of the section that do not touch what is made of one file"""


def several(config: DataConfig) -> Sequence[str]:
    """Paths of the files of a local table, in order; none where it is one file or no local table."""
    if config.source != "table" or config.events is None or config.events.startswith("s3://"):
        return ()
    _, found = local(config.events)
    return found if len(found) > 1 else ()


@dataclass(frozen=True)
class Cache:
    """Readings by the digest of their file, in a folder of one way of reading. Rows are the same with and without it.

    report: told (files read, files in all) after each file.
    """

    folder: Path
    report: Callable[[int, int], None]

    @classmethod
    def of(cls, config: DataConfig, root: Path, report: Callable[[int, int], None]) -> "Cache":
        """The cache below `root` of the way in which the section reads a file."""
        told = config.model_dump(mode="json", exclude=set(APART))
        return cls(root / _hash(orjson.dumps([FORM, told], option=orjson.OPT_SORT_KEYS)), report)

    def through(self, files: Sequence[str], read: Callable[[str], pl.DataFrame]) -> list[pl.DataFrame]:
        """Readings of each file in order, by `read` where they are not kept; those of files that are gone are removed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = [self.folder / f"{_digest(Path(path))}.parquet" for path in files]
        fresh = 0
        for path, place in zip(files, kept, strict=True):
            if not place.exists():
                _write(read(path), place)
                fresh += 1
                self.report(fresh, len(files))
        for stale in set(self.folder.iterdir()) - set(kept):
            stale.unlink(missing_ok=True)
        return [pl.read_parquet(place) for place in kept]


def _write(rows: pl.DataFrame, place: Path) -> None:
    """At once or not at all, whoever else writes the same."""
    part = place.with_name(f"{place.name}.{os.getpid()}")
    rows.write_parquet(part, compression="lz4")
    part.replace(place)


def _digest(path: Path) -> str:
    """Of the path too: folders such as event=view are columns."""
    found = hashlib.sha256(str(path).encode())
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()[:32]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
