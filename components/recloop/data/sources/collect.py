"""A configured source -> the canonical events and items."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from recloop.config import DataConfig
from recloop.data.events import conform
from recloop.data.items import conform_items, items_of
from recloop.data.public.source import Public
from recloop.data.sources.complete_journey import CompleteJourney
from recloop.data.sources.readable import readable
from recloop.data.sources.sequences import Sequences
from recloop.data.sources.source import Source
from recloop.data.sources.table import Storage, Table

BUILDERS: dict[str, Callable[[DataConfig, Storage | None, Path | None], Source]] = {
    "complete_journey": lambda config, storage, folder: CompleteJourney(),
    "table": lambda config, storage, folder: Table.configured(config, storage),
    "sequences": lambda config, storage, folder: Sequences.configured(config),
    "public": lambda config, storage, folder: Public.configured(config, folder),
}
"""config.data.source -> its source"""


def collect(
    config: DataConfig, *, storage: Storage | None = None, folder: Path | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Configuration -> (events as read, items), before any row is judged.

    events: READ_SCHEMA of recloop.data.events, in the order of the file, before `config.until`. items: ITEM_SCHEMA;
    where the source has no catalogue, the items that occur in the events. `storage`: options of polars for s3://
    (aws_endpoint_url, aws_access_key_id, ...); None takes the standard AWS chain. `folder`: where public sets were fetched
    to. Raises BadData, Unavailable.
    """
    source = BUILDERS[config.source](config, storage, folder)
    with readable(source.name):
        events = conform(
            source.events(),
            config.columns,
            event=config.event,
            timezone=config.timezone,
            until=config.until,
            name=source.name,
        )
    catalogue = source.items()
    if catalogue is None:
        return events, items_of(events)
    with readable(source.items_name):
        return events, conform_items(catalogue, config.item_columns, name=source.items_name)
