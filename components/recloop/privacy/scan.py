"""An id -> every file of a folder that holds it in the clear."""

import mmap
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from recloop.privacy.spellings import held
from recloop.privacy.tables import in_series, parquet_columns, sqlite_columns

PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\x04\x22\x4d\x18": "lz4"}
"""first bytes -> codec"""
MAGIC_BYTES = 16


@dataclass(frozen=True)
class Scan:
    """What was looked through, and where the id was."""

    files: int
    bytes: int
    found: tuple[str, ...]
    """paths below the folder; of archives and tables with the member or column"""


def scan(folder: Path, id_: str) -> Scan:
    """Look through every file of a folder, its name and what it holds: tables decoded, archives unpacked.

    The whole id is looked for, not as a part of a longer word or number.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    found = tuple(f"{p.relative_to(folder)}{where}" for p in files for where in _named(p.relative_to(folder), p, id_))
    return Scan(len(files), sum(p.stat().st_size for p in files), found)


def traces(path: Path, id_: str) -> Iterator[str]:
    """Where in a file the id is: '' for its bytes, ' column user_id' of a table, ' member x' of an archive.

    The kind of a file is told by its first bytes, not by its name.
    """
    with path.open("rb") as file:
        magic = file.read(MAGIC_BYTES)
    codec = next((codec for start, codec in PACKED.items() if magic.startswith(start)), None)
    if magic.startswith(b"PAR1"):
        yield from (f" column {name}" for name in parquet_columns(path, id_))
    elif magic.startswith(b"SQLite format 3\0"):
        yield from (f" column {name}" for name in sqlite_columns(path, id_))
    elif zipfile.is_zipfile(path):
        yield from _members(path, id_)
    elif codec:
        yield from _unpacked(path, codec, id_)
    elif _in_bytes(path, id_) or (magic.startswith(b"\x93NUMPY") and _in_array(path, id_)):
        yield ""


def _named(name: Path, path: Path, id_: str) -> Iterator[str]:
    if held(name.as_posix().encode(), id_):
        yield " name"
    yield from traces(path, id_)


def _members(path: Path, id_: str) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        for name in (i.filename for i in archive.infolist() if not i.is_dir()):
            inner = Path(folder) / "member"
            with archive.open(name) as source, inner.open("wb") as target:
                shutil.copyfileobj(source, target)
            yield from (f" member {name}{where}" for where in _named(Path(name), inner, id_))


def _unpacked(path: Path, codec: str, id_: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        inner = Path(folder) / "content"
        with pa.input_stream(str(path), compression=codec) as source, inner.open("wb") as target:
            shutil.copyfileobj(source, target)
        yield from traces(inner, id_)


def _in_bytes(path: Path, id_: str) -> bool:
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return held(content, id_)


def _in_array(path: Path, id_: str) -> bool:
    """Texts of an array lie one behind the other with nothing between them: they are looked at one by one."""
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    if values.dtype.kind in "US":
        return in_series(pl.Series(np.unique(values).tolist()), id_)
    return values.dtype.kind in "iu" and in_series(pl.Series(values.ravel()), id_)
