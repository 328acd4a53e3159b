"""A topic followed from run to run: each events artefact holds all that came so far, and where the next one begins.

What was read and how far are published as one artefact, so a killed run neither loses a message nor takes one twice;
the group's offsets are committed afterwards, and only tell others.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recloop.artifacts import Artifact, Draft, open_store
from recloop.artifacts.manifest import NAME as MANIFEST
from recloop.config import Config
from recloop_pipelines import privacy
from recloop_pipelines.places import latest
from recloop_pipelines.settings import opened
from recloop_pipelines.source import filled, undeleted

if TYPE_CHECKING:
    import polars as pl

    from recloop.data.sources.kafka import Kafka

EVENTS, OFFSETS = "landed.parquet", "offsets.json"


@dataclass(frozen=True)
class Stream:
    """The topic, set to begin after `earlier`, the newest artefact of events that came from it."""

    source: "Kafka"
    earlier: Artifact | None

    @property
    def silent(self) -> bool:
        """Whether nothing came since the last run; in the first run that is an error of the source."""
        return self.earlier is not None and self.source.polled.messages.is_empty()

    def commit(self, uri: str) -> None:
        """Tell the brokers how far published events reach."""
        self.source.topic.commit(_offsets(opened(uri, kind="events").path))


def following(config: Config) -> Stream | None:
    """The scenario's stream; None where its source is none. Raises BadConfig without the extra kafka."""
    if config.data.source != "kafka":
        return None
    from recloop.data.sources.collect import kafka

    newest = latest(config, "events")
    held = None if newest is None else opened(newest, kind="events")
    earlier = held if held is not None and _same(config, held.path) else None
    since = {} if earlier is None else _offsets(earlier.path)
    return Stream(kafka(filled(config.data), None, since), earlier)


def published(uri: str) -> bool:
    """Whether events lie there already: of a try that was killed before it could tell."""
    return open_store(uri).read(MANIFEST) is not None


def landed(
    config: Config, stream: Stream, fresh: "tuple[pl.DataFrame, pl.DataFrame] | None", draft: Draft
) -> "tuple[pl.DataFrame, pl.DataFrame]":
    """(events, items) that came now, None where none did -> all that came so far, each event id once.

    Writes the events and the offsets that follow them into the draft.
    """
    import polars as pl

    from recloop.columns import Columns

    parts = [] if stream.earlier is None else [_earlier(config, stream.earlier.path)]
    parts += [] if fresh is None else [fresh]
    events = pl.concat([part[0] for part in parts], how="diagonal_relaxed")
    events = events.unique(Columns.EventId, keep="first", maintain_order=True)
    events.write_parquet(draft.path / EVENTS)
    told = {"topic": config.data.events, "next": {str(p): at for p, at in stream.source.polled.following.items()}}
    (draft.path / OFFSETS).write_text(json.dumps(told, sort_keys=True) + "\n")
    return events, _catalogue([part[1] for part in parts], whole=config.data.items is not None)


def _earlier(config: Config, folder: Path) -> "tuple[pl.DataFrame, pl.DataFrame]":
    import polars as pl

    kept = undeleted(config.data, pl.read_parquet(folder / EVENTS))
    return privacy.remembered(config, kept), pl.read_parquet(folder / "items.parquet")


def _catalogue(parts: "list[pl.DataFrame]", *, whole: bool) -> "pl.DataFrame":
    """The newest catalogue where it is whole, else every item as it was described last."""
    import polars as pl

    from recloop.columns import Columns

    if whole:
        return parts[-1]
    return pl.concat(parts).unique(Columns.Item, keep="last").sort(Columns.Item)


def _same(config: Config, folder: Path) -> bool:
    """Whether an events artefact was made of this topic."""
    path = folder / OFFSETS
    return path.exists() and _topic(json.loads(path.read_text())["topic"]) == _topic(config.data.events or "")


def _topic(events: str) -> str:
    """The topic of kafka://brokers/topic: brokers come and go."""
    return events.rsplit("/", 1)[-1]


def _offsets(folder: Path) -> dict[int, int]:
    """Where the reading after an events artefact begins, by partition."""
    return {int(p): at for p, at in json.loads((folder / OFFSETS).read_text())["next"].items()}
