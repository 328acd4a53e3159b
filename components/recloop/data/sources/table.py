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
}

Storage = Mapping[str, str | int]
"""Options of polars for s3://: aws_endpoint_url, aws_access_key_id, aws_secret_access_key, aws_region, max_retries"""


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

    @classmethod
    def configured(cls, config: DataConfig, storage: Storage | None) -> "Table":
        """From data.events and data.items. Raises BadData where data.events is not set."""
        if config.events is None:
            raise BadData("data.source is table, but data.events names no file. Set it to a path, a folder or s3://.")
        return cls(name=config.events, items_at=config.items, storage=storage)

    @property
    def items_name(self) -> str:
        """Where the items are, for messages."""
        return self.items_at or self.name

    def events(self) -> pl.LazyFrame:
        """Rows of data.events."""
        return scan(self.name, self.storage)

    def items(self) -> pl.LazyFrame | None:
        """Rows of data.items."""
        return None if self.items_at is None else scan(self.items_at, self.storage)


def scan(uri: str, storage: Storage | None) -> pl.LazyFrame:
    """Path or URI -> raw rows. Raises BadData (nothing there, unknown format, unreadable) or Unavailable (S3)."""
    kind, places = _remote(uri) if uri.startswith("s3://") else _local(uri)
    with readable(uri):
        frame = _scanned(kind, places, dict[str, Any](storage) if storage else None)
        frame.collect_schema()
    return frame


def _remote(uri: str) -> tuple[str, list[str]]:
    return _format(uri) or "parquet", [uri]


def _local(uri: str) -> tuple[str, list[str]]:
    path = Path(uri.removeprefix("file://"))
    found = [path] if path.is_file() else sorted(_matching(path))
    by_format = {kind: [p for p in found if _format(p.name) == kind] for kind in sorted(set(FORMATS.values()))}
    held = [kind for kind, paths in by_format.items() if paths]
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


def _scanned(kind: str, places: list[str], storage: dict[str, Any] | None) -> pl.LazyFrame:
    if kind == "parquet":
        hive = any("=" in place for place in places) or None
        return pl.scan_parquet(places, hive_partitioning=hive, storage_options=storage)
    if kind == "json":
        return pl.scan_ndjson(places, infer_schema_length=None, storage_options=storage)
    separator = "\t" if kind == "tsv" else ","
    return pl.scan_csv(places, separator=separator, infer_schema=False, storage_options=storage)
