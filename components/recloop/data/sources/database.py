"""Events and items in a SQL database, by SQLAlchemy: a table's name or a SELECT."""

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from recloop.config import DataConfig
from recloop.errors import BadData, Unavailable

ROWS = 200_000
"""rows that are fetched at once"""
DRIVERS = {"postgresql": "psycopg2", "mysql": "pymysql", "mariadb": "pymysql"}
"""driver of a URL that names none"""
SCHEMES = ("postgresql", "mysql", "mariadb", "sqlite")
LINES = 60


@dataclass(frozen=True)
class Database:
    """One table or query of events and perhaps one of items; the connection only reads."""

    url: str
    name: str
    items_at: str | None
    limit: int | None = None
    """rows that are looked at; None: all"""

    @classmethod
    def configured(cls, config: DataConfig) -> "Database":
        """From data.database and data.events. Raises BadData where one is not set."""
        if config.database is None or config.events is None:
            raise BadData(
                "data.source is database, but data.database or data.events is not set. Set data.database to a URL such as "
                "postgresql://reader:${SHOP_PASSWORD}@host/shop and data.events to a table or a SELECT."
            )
        return cls(config.database, config.events, config.items)

    @property
    def items_name(self) -> str:
        """Where the items are, for messages."""
        return self.items_at or self.name

    def events(self) -> pl.LazyFrame:
        """Rows of data.events. Raises BadData or Unavailable."""
        return _rows(self.url, self.name, self.limit).lazy()

    def items(self) -> pl.LazyFrame | None:
        """Rows of data.items."""
        return None if self.items_at is None else _rows(self.url, self.items_at, self.limit).lazy()


def _rows(url: str, asked: str, limit: int | None) -> pl.DataFrame:
    query, engine = _query(asked, limit), _engine(url)
    try:
        found = _fetched(engine, query)
    except OperationalError as error:
        if url.startswith("sqlite"):
            raise BadData(f"{asked[:LINES]!r} cannot be read: {error.orig}. Check the table and the file.") from None
        raise Unavailable(f"The database did not answer: {error.orig}. Check data.database, run again.") from None
    except SQLAlchemyError as error:
        said = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n")[0]
        raise BadData(f"{asked[:LINES]!r} cannot be read: {said}. Check data.events and data.items.") from None
    finally:
        engine.dispose()
    if not found:
        raise BadData(f"{asked[:LINES]!r} has no row. Check data.events and data.items.")
    return pl.concat(found, how="vertical_relaxed")


def _fetched(engine: Engine, query: str) -> list[pl.DataFrame]:
    """Batches of a query, in a transaction that may only read where the database knows such."""
    with engine.connect().execution_options(stream_results=True, postgresql_readonly=True) as connection:
        batches = pl.read_database(
            text(query), connection, iter_batches=True, batch_size=ROWS, infer_schema_length=None
        )
        return list(batches)


def _engine(url: str) -> Engine:
    file = url.removeprefix("sqlite:///")
    if file != url and not Path(file).is_file():
        raise BadData(f"There is no SQLite file {file}. Check data.database.")
    scheme, _, rest = url.partition("://")
    driver = DRIVERS.get(scheme)
    try:
        return create_engine(f"{scheme}+{driver}://{rest}" if driver else url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise BadData(
            f"data.database is no URL that SQLAlchemy knows ({error}). Known: {', '.join(SCHEMES)}."
        ) from None
    except ModuleNotFoundError as error:
        raise BadData(f"data.database needs the driver {error.name}. Install it: pip install {error.name}") from None


def _query(asked: str, limit: int | None) -> str:
    """The SELECT of a table, or the one that was asked for. Raises BadData for anything else."""
    if re.match(r"(?i)\s*(select|with)\s", asked):
        query = asked.strip().rstrip(";")
    elif re.fullmatch(r"\w+(\.\w+)*", asked):
        query = f"SELECT * FROM {asked}"
    else:
        raise BadData(
            f"{asked[:LINES]!r} is neither the name of a table nor a SELECT. Give one of them as data.events."
        )
    return query if limit is None else f"SELECT * FROM ({query}) AS looked_at LIMIT {limit}"
