"""Where a scenario's attributes of users are, raw and as a table."""

import polars as pl

from recloop.config import DataConfig
from recloop.data.attributes import conform_attributes
from recloop.data.sources.database import Database
from recloop.data.sources.readable import readable
from recloop.data.sources.table import Storage, Table


def people(config: DataConfig, storage: Storage | None = None) -> pl.LazyFrame | None:
    """Raw rows of data.users: of the database where the events are in one, else of a file. None where there are none."""
    if config.users is None:
        return None
    told = config.model_copy(update={"events": config.users, "items": None})
    source = Database.configured(told) if config.source == "database" else Table.configured(told, storage)
    with readable(config.users):
        return source.events()


def attributes(config: DataConfig, storage: Storage | None = None) -> pl.DataFrame | None:
    """data.users -> user_id and data.user_attributes as words, a row a user. Raises BadData, Unavailable."""
    raw = people(config, storage)
    if raw is None:
        return None
    return conform_attributes(raw, config.user_column, config.user_attributes, name=str(config.users))
