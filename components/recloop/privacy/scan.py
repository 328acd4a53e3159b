"""An id -> every file of a folder that holds it in the clear."""

import gzip
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

CHUNK = 1 << 24
BETWEEN = r"[0-9A-Za-z]"
"""an id that goes on in one of these is another id"""


@dataclass(frozen=True)
class Scan:
    """What was looked through, and where the id was."""

    files: int
    bytes: int
    found: tuple[str, ...]
    """paths below the folder; of archives and tables with the member or column"""


def scan(folder: Path, id_: str) -> Scan:
    """Look through every file of a folder: bytes as they are, Parquet decoded, gzip and zip unpacked.

    The whole id is looked for, not as a part of a longer word or number.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    found = tuple(f"{p.relative_to(folder)}{where}" for p in files for where in traces(p, id_))
    return Scan(len(files), sum(p.stat().st_size for p in files), found)


def traces(path: Path, id_: str) -> Iterator[str]:
    """Where in a file the id is: '' for its bytes, ' column user_id' of a table, ' member x' of an archive."""
    pattern = re.compile(rb"(?<![0-9A-Za-z])" + re.escape(id_.encode()) + rb"(?![0-9A-Za-z])")
    if path.suffix in {".parquet", ".pq"}:
        yield from _columns(path, id_)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (f" member {n}" for n in archive.namelist() if pattern.search(archive.read(n)))
    elif path.suffix == ".gz":
        with gzip.open(path) as file:
            yield from ([""] if pattern.search(file.read()) else [])
    elif _within(path, pattern, len(id_.encode()) + 1):
        yield ""


def _columns(path: Path, id_: str) -> Iterator[str]:
    table = pl.scan_parquet(path)
    texts = [name for name, kind in table.collect_schema().items() if kind in (pl.String, pl.List(pl.String))]
    pattern = rf"(?:^|[^0-9A-Za-z]){re.escape(id_)}(?:$|[^0-9A-Za-z])"
    for name in texts:
        column = table.select(name).collect().to_series()
        values = column.explode() if column.dtype == pl.List(pl.String) else column
        if values.str.contains(pattern).any():
            yield f" column {name}"


def _within(path: Path, pattern: re.Pattern[bytes], overlap: int) -> bool:
    """Search a file piece by piece; pieces overlap, so that nothing is cut in two."""
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            if pattern.search(tail + piece):
                return True
            tail = piece[-overlap:]
    return False
