"""A configured source -> the canonical events and items."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from recloop.columns import ITEM_COLUMNS, Columns
from recloop.config import DataConfig
from recloop.data.events import readings, settled
from recloop.data.items import conform_items, items_of
from recloop.data.made_up.source import MadeUp
from recloop.data.public.source import Public
from recloop.data.reading import Form, chosen, text
from recloop.data.sources.changes import late, without
from recloop.data.sources.complete_journey import CompleteJourney
from recloop.data.sources.database import Database
from recloop.data.sources.files import Cache, several
from recloop.data.sources.layouts.known import LAYOUTS
from recloop.data.sources.layouts.layout import described_last
from recloop.data.sources.readable import readable
from recloop.data.sources.sequences import Sequences
from recloop.data.sources.source import Source
from recloop.data.sources.table import Dialect, Storage, Table, scan
from recloop.errors import BadConfig

if TYPE_CHECKING:
    from recloop.data.sources.kafka import Kafka

NOWHERE: Mapping[int, int] = MappingProxyType({})


def kafka(config: DataConfig, storage: Storage | None, since: Mapping[int, int] = NOWHERE) -> "Kafka":
    """The topic of data.events from the given offsets on. Raises BadConfig without the extra kafka."""
    try:
        from recloop.data.sources.kafka import Kafka
    except ModuleNotFoundError as error:
        raise BadConfig(
            f"data.source is kafka and {error.name} is not installed: pip install 'recloop[kafka]'"
        ) from None
    return Kafka.configured(config, storage, since)


BUILDERS: dict[str, Callable[[DataConfig, Storage | None, Path | None], Source]] = {
    "complete_journey": lambda config, storage, folder: CompleteJourney(),
    "table": lambda config, storage, folder: Table.configured(config, storage),
    "database": lambda config, storage, folder: Database.configured(config),
    "kafka": lambda config, storage, folder: kafka(config, storage),
    "sequences": lambda config, storage, folder: Sequences.configured(config),
    "public": lambda config, storage, folder: Public.configured(config, folder),
    "made_up": lambda config, storage, folder: MadeUp.configured(config),
}
"""config.data.source -> its source"""


def collect(
    config: DataConfig,
    *,
    storage: Storage | None = None,
    folder: Path | None = None,
    limit: int | None = None,
    cache: Cache | None = None,
    source: Source | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Configuration -> (events as read, items), before any row is judged.

    events: READ_SCHEMA of recloop.data.events, in the order of the file, before `config.until`. items: ITEM_SCHEMA;
    where the source has no catalogue, the items that occur in the events. `storage`: options of polars for s3://
    (aws_endpoint_url, aws_access_key_id, ...); None takes the standard AWS chain. `folder`: where public sets were fetched
    to. `limit`: rows of the events that are read. `cache`: what was made of each file of several, from run to run. `source`:
    in place of the one that the configuration makes. Raises BadData, Unavailable.
    """
    source = source or BUILDERS[config.source](config, storage, folder)
    with readable(source.name):
        raw = source.events() if limit is None else source.events().head(limit)
        files = several(config) if limit is None else ()
        read = _of_files(files, config, cache) if files else _read(raw, config, source.name)
        events = settled(read, source.name)
    events = undeleted(events, config, storage=storage)
    catalogue = source.items()
    if catalogue is None:
        return events, _within(raw, events, config, source.name)
    with readable(source.items_name):
        items = conform_items(
            catalogue, config.item_columns, name=source.items_name, category_separator=config.category_separator
        )
    return events, items


def _of_files(files: Sequence[str], config: DataConfig, cache: Cache | None) -> pl.DataFrame:
    """Files of one table in their order -> readings; a file that the cache knows is not read again."""
    dialect = Dialect(config.separator, config.encoding)

    def read(path: str) -> pl.DataFrame:
        return _read(scan(path, None, dialect), config, path)

    parts = [read(path) for path in files] if cache is None else cache.through(files, read)
    if config.lateness_days is not None:
        parts = late(parts, timedelta(days=config.lateness_days))
    return pl.concat(parts)


def undeleted(events: pl.DataFrame, config: DataConfig, *, storage: Storage | None = None) -> pl.DataFrame:
    """Events -> those that no row of data.deletions names. Raises BadData, Unavailable."""
    if config.deletions is None:
        return events
    return without(events, _tombstones(config, storage), config.columns, name=config.deletions)


def _tombstones(config: DataConfig, storage: Storage | None) -> pl.LazyFrame:
    """Rows of data.deletions, from where the events come."""
    told = config.model_copy(update={"events": config.deletions, "items": None})
    source = Database.configured(told) if config.source == "database" else Table.configured(told, storage)
    with readable(source.name):
        return source.events()


def _read(raw: pl.LazyFrame, config: DataConfig, name: str) -> pl.DataFrame:
    """Raw rows in the configured layout -> readings. Raises BadData."""
    layout = LAYOUTS.get(config.layout)
    return readings(
        raw if layout is None else layout.events(raw),
        config.columns,
        event=config.event,
        kinds=config.kinds if layout is None else {**layout.kinds, **config.kinds},
        form=Form(config.timezone, config.time_format, config.decimal),
        until=config.until,
        name=name,
        consent=config.consent,
    )


def _within(raw: pl.LazyFrame, events: pl.DataFrame, config: DataConfig, name: str) -> pl.DataFrame:
    """The catalogue that the rows of the events hold beside themselves: each item as it was described last."""
    layout = LAYOUTS.get(config.layout)
    if layout is None and not config.item_columns:
        return items_of(events)
    with readable(name):
        rows = _described(raw, config, name) if layout is None else layout.items(raw)
        return conform_items(rows, {}, name=name, category_separator=config.category_separator)


def _described(raw: pl.LazyFrame, config: DataConfig, name: str) -> pl.LazyFrame:
    """Rows of events -> one row an item, named canonically."""
    item = config.columns.get(Columns.Item, Columns.Item)
    columns = {Columns.Item: item, **config.item_columns}
    schema = raw.collect_schema()
    at = chosen(schema, columns, canonical=ITEM_COLUMNS, required=(Columns.Item,), name=name)
    return described_last(raw.select(text(column, schema).alias(c) for c, column in at.items()))
