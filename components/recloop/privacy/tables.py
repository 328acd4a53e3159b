"""A table in a file -> its columns that hold an id."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl

from recloop.privacy.spellings import held, spellings


def parquet_columns(path: Path, id_: str) -> Iterator[str]:
    """Columns of a Parquet file that hold the id in their name or in a value, at any depth of lists and structs."""
    table = pl.scan_parquet(path, hive_partitioning=False)
    for name in table.collect_schema().names():
        if held(name.encode(), id_) or in_series(table.select(name).collect().to_series(), id_):
            yield name


def in_series(values: pl.Series, id_: str) -> bool:
    """A value holds the id: text as a whole word, a number by being equal to it."""
    kind = values.dtype
    if isinstance(kind, pl.Struct):
        return any(held(f.encode(), id_) or in_series(values.struct.field(f), id_) for f in values.struct.fields)
    if isinstance(kind, (pl.List, pl.Array)):
        return in_series(values.explode(), id_)
    if kind == pl.Binary:
        return any(held(value, id_) for value in values.drop_nulls().unique())
    if kind.is_numeric():
        return _is_number(values, id_)
    return not kind.is_temporal() and kind not in (pl.Boolean, pl.Null) and _in_text(values.cast(pl.String), id_)


def sqlite_columns(path: Path, id_: str) -> Iterator[str]:
    """`table.column` of an SQLite data base that holds the id; it is opened to be read only."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
        base.create_function("holds", 1, lambda value: _holds(value, id_), deterministic=True)
        tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (table,) in tables:
            for _, column, *_ in base.execute(f"PRAGMA table_info({_quoted(table)})").fetchall():
                query = f"SELECT 1 FROM {_quoted(table)} WHERE holds({_quoted(column)}) LIMIT 1"
                if base.execute(query).fetchone():
                    yield f"{table}.{column}"


def _in_text(values: pl.Series, id_: str) -> bool:
    """The engine finds the few values that may hold it, in whatever spelling; each is then looked at."""
    near = values.str.contains_any([s.data.decode() for s in spellings(id_) if not s.padding])
    return any(held(value.encode(), id_) for value in values.filter(near).unique())


def _is_number(values: pl.Series, id_: str) -> bool:
    if not id_.isascii() or not id_.isdecimal():
        return False
    if values.dtype.is_float():
        return bool((values == float(id_)).any())
    return bool((values.cast(pl.String) == str(int(id_))).any())


def _holds(value: object, id_: str) -> bool:
    return value is not None and held(value if isinstance(value, bytes) else str(value).encode(), id_)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
