"""A scenario's source on this machine: where public sets lie, and what the environment keeps secret."""

import os
import re
from typing import TYPE_CHECKING

from recloop.config import DataConfig
from recloop.errors import BadConfig
from recloop_pipelines.console import REPORT
from recloop_pipelines.settings import settings

if TYPE_CHECKING:
    import polars as pl

    from recloop.data.sources.source import Source

NAME = re.compile(r"\$\{(\w+)\}")


def collected(
    config: DataConfig, *, limit: int | None = None, cached: bool = False, source: "Source | None" = None
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """Section data -> events as read, items; of the first `limit` rows only, where that is set.

    `cached`: of a table of several files, those that are known from the last time are not read again. `source`: in place
    of the one that the section makes.
    """
    from recloop.data.sources.collect import collect
    from recloop.data.sources.files import Cache

    cache = Cache.of(config, settings().folder / "parts", _told) if cached else None
    return collect(filled(config), folder=settings().sets, limit=limit, cache=cache, source=source)


def attributes(config: DataConfig) -> "pl.DataFrame | None":
    """Section data -> what is known of users without an event; None where it names no table of them."""
    from recloop.data.sources.people import attributes as read

    return read(filled(config))


def undeleted(config: DataConfig, events: "pl.DataFrame") -> "pl.DataFrame":
    """Events of the loop's own feedback -> those that no row of data.deletions names."""
    from recloop.data.sources.collect import undeleted as left

    return left(events, filled(config))


def _told(fresh: int, files: int) -> None:
    REPORT.get()(f"{fresh} new of {files} files", fresh / files)


def filled(config: DataConfig) -> DataConfig:
    """The section with ${NAME} in its database's URL and Kafka's options replaced by the environment's values.

    No file ever holds them. Raises BadConfig naming what the environment lacks.
    """
    options = {name: replaced(value, f"data.kafka.options.{name}") for name, value in config.kafka.options.items()}
    kafka = config.kafka.model_copy(update={"options": options})
    url = None if config.database is None else replaced(config.database, "data.database")
    return config.model_copy(update={"database": url, "kafka": kafka})


def replaced(text: str, key: str) -> str:
    """The value of a key with the environment's values for ${NAME}. Raises BadConfig naming what the environment lacks."""
    lost = [name for name in NAME.findall(text) if name not in os.environ]
    if lost:
        raise BadConfig(f"{key} names {', '.join(lost)}, which the environment lacks. Set it: export {lost[0]}=...")
    return NAME.sub(lambda found: os.environ[found[1]], text)
