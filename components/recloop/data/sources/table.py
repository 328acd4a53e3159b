"""Events and items in files: CSV, Parquet or JSON lines; one file, a folder of them, a pattern, or s3://."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from recloop.config import DataConfig
from recloop.data.sources.readable import readable
from recloop.errors import BadData

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
}

Storage = Mapping[str, str | int]
"""Options of polars for s3://: aws_endpoint_url, aws_access_key_id, aws_secret_access_key, aws_region, max_retries"""


@dataclass(frozen=True)
class Dialect:
    """Of CSV: what is between fields (empty: a comma, in .tsv a tab), and how characters are written."""

    separator: str = ""
    encoding: str = "utf8"


COMMON = Dialect()


@dataclass(frozen=True)
class Table:
    """One table of events and perhaps one of items.

    CSV is read as text throughout, so that an id such as 007 stays one. A folder is read recursively, files in order of
    their paths, `key=value` folders of Parquet as columns. An s3:// folder is taken for Parquet: name other formats by
    a pattern (s3://bucket/events/*.csv).
    """

    name: str
    items_at: str | None
    storage: Storage | None
    dialect: Dialect

    @classmethod
    def configured(cls, config: DataConfig, storage: Storage | None) -> "Table":
        """From data.events and data.items. Raises BadData where data.events is not set."""
        if config.events is None:
            raise BadData("data.source is table, but data.events names no file. Set it to a path, a folder or s3://.")
        dialect = Dialect(config.separator, config.encoding)
        return cls(name=config.events, items_at=config.items, storage=storage, dialect=dialect)

    @property
    def items_name(self) -> str:
        """Where the items are, for messages."""
        return self.items_at or self.name

    def events(self) -> pl.LazyFrame:
        """Rows of data.events."""
        return scan(self.name, self.storage, self.dialect)

    def items(self) -> pl.LazyFrame | None:
        """Rows of data.items."""
        return None if self.items_at is None else scan(self.items_at, self.storage, self.dialect)


def scan(uri: str, storage: Storage | None, dialect: Dialect = COMMON) -> pl.LazyFrame:
    """Path or URI -> raw rows. Raises BadData (nothing there, unknown format, unreadable) or Unavailable (S3)."""
    kind, places = _remote(uri) if uri.startswith("s3://") else local(uri)
    with readable(uri):
        frame = _scanned(kind, places, dict[str, Any](storage) if storage else None, dialect)
        frame.collect_schema()
    return frame


def _remote(uri: str) -> tuple[str, list[str]]:
    return _format(uri) or "parquet", [uri]


def local(uri: str) -> tuple[str, list[str]]:
    """Path, folder or pattern -> (format, paths in order). Raises BadData where there is none, or several formats."""
    path = Path(uri.removeprefix("file://"))
    found = [path] if path.is_file() else sorted(_matching(path))
    by_format = {kind: [p for p in found if _format(p.name) == kind] for kind in sorted(set(FORMATS.values()))}
    held = [kind for kind, paths in by_format.items() if paths]
    if not found:
        raise BadData(f"There is no file at {uri}. Check the path.")
    if len(held) != 1:
        what = (
            f"files of the formats {' and '.join(held)}; keep one"
            if held
            else "no file that is CSV, Parquet or JSON lines"
        )
        raise BadData(f"{uri} holds {what}. Known endings: {', '.join(FORMATS)}, also with .gz (CSV).")
    return held[0], [str(p) for p in by_format[held[0]]]


def _matching(path: Path) -> list[Path]:
    if "*" in str(path):
        return [p for p in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if p.is_file()]
    return [p for p in path.rglob("*") if p.is_file()]


def _format(name: str) -> str | None:
    return FORMATS.get(Path(name.removesuffix(".gz")).suffix.lower())


def _scanned(kind: str, places: list[str], storage: dict[str, Any] | None, dialect: Dialect) -> pl.LazyFrame:
    if kind == "parquet":
        hive = any("=" in place for place in places) or None
        return pl.scan_parquet(places, hive_partitioning=hive, storage_options=storage)
    if kind == "json":
        return _json(places, storage)
    separator = dialect.separator or ("\t" if kind == "tsv" else ",")
    if dialect.encoding == "utf8":
        return pl.scan_csv(places, separator=separator, infer_schema=False, storage_options=storage)
    read = [_foreign(place, separator, dialect.encoding) for place in places]
    return pl.concat(read, how="vertical").lazy()


def _foreign(place: str, separator: str, encoding: str) -> pl.DataFrame:
    """CSV that is not UTF-8, decoded in memory."""
    return pl.read_csv(place, separator=separator, infer_schema=False, encoding=encoding)


def _json(places: list[str], storage: dict[str, Any] | None) -> pl.LazyFrame:
    """JSON lines, or files that hold one array each."""
    if "://" in places[0] or not _array(Path(places[0])):
        return pl.scan_ndjson(places, infer_schema_length=None, storage_options=storage)
    return pl.concat([pl.read_json(p, infer_schema_length=None) for p in places], how="diagonal_relaxed").lazy()


def _array(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(64).lstrip().startswith(b"[")
