"""Where the lists of all users are written, block by block: a Parquet file, a CSV file or a table of a data base."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import sqlalchemy as sa

from recloop.errors import BadConfig, Unavailable

Write = Callable[[pl.DataFrame], None]
"""takes the next block"""
TABLE = "recommendations"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,50}")
ROWS = 10_000
"""of one statement"""
TYPES: dict[type[pl.DataType], type[sa.types.TypeEngine[Any]]] = {
    pl.String: sa.Text,
    pl.Int32: sa.Integer,
    pl.Float32: sa.Float,
}


@contextmanager
def destination(to: str) -> Iterator[Write]:
    """FILE.parquet, FILE.csv or an SQLAlchemy URL with #TABLE -> what writes blocks there.

    What was there is replaced as a whole once all blocks are written; where that fails it stays as it was. Raises BadConfig
    for any other address, Unavailable where the data base is down.
    """
    if "://" in to:
        with _table(to) as write:
            yield write
        return
    path = Path(to)
    if path.suffix not in FILES:
        raise BadConfig(
            f"{to!r} is neither a .parquet or .csv file nor the URL of a data base, such as sqlite:///x.db#t."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with FILES[path.suffix](part) as write:
            yield write
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    writers: list[pq.ParquetWriter] = []

    def write(block: pl.DataFrame) -> None:
        rows = block.to_arrow()
        if not writers:
            writers.append(pq.ParquetWriter(path, rows.schema, compression="zstd"))
        writers[0].write_table(rows)

    try:
        yield write
    finally:
        for writer in writers:
            writer.close()


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with path.open("wb") as stream:
        yield lambda block: block.write_csv(stream, include_header=not stream.tell())


FILES = {".parquet": _parquet, ".csv": _csv}


@contextmanager
def _table(to: str) -> Iterator[Write]:
    url, _, name = to.partition("#")
    name = name or TABLE
    if not NAME.fullmatch(name):
        raise BadConfig(f"{name!r} is no name of a table: letters, digits and _ only, 51 at most.")
    try:
        engine = sa.create_engine(url)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise BadConfig(f"{url!r} is no address of a data base that can be opened: {error}") from error
    try:
        # one transaction: readers see the old table until the new one is whole
        with engine.begin() as connection:
            yield _filling(connection, name)
    except sa.exc.OperationalError as error:
        raise Unavailable(f"The table {name} cannot be written: {error.orig}") from error
    finally:
        engine.dispose()


def _filling(connection: sa.Connection, name: str) -> Write:
    """What empties the table before its first block, and adds them all."""
    made: list[sa.Table] = []

    def write(block: pl.DataFrame) -> None:
        if not made:
            columns = [sa.Column(c, TYPES[type(kind)]) for c, kind in block.schema.items()]
            made.append(sa.Table(name, sa.MetaData(), *columns))
            made[0].create(connection, checkfirst=True)
            # dropping it is no part of a transaction in SQLite
            connection.execute(sa.delete(made[0]))
        for rows in block.iter_slices(ROWS):
            connection.execute(sa.insert(made[0]), rows.to_dicts())

    return write
