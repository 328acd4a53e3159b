"""The door of a scenario on this machine: its key, its erasure list, and the search for what should not be there."""

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recloop.artifacts import open_store
from recloop.config import Config
from recloop.errors import BadConfig
from recloop_pipelines.places import required
from recloop_pipelines.settings import opened, settings
from recloop_pipelines.source import filled

if TYPE_CHECKING:
    import polars as pl

    from recloop.privacy.pseudonyms import Keys
    from recloop.privacy.scan import Scan

KEY = "RECLOOP_PRIVACY_KEY"
REPORT = "door.json"


def key() -> "Keys | None":
    """Keys of the pseudonyms, from the environment alone; None where it has none."""
    from recloop.privacy.pseudonyms import keys

    secret = os.environ.get(KEY, "")
    return keys(secret) if secret else None


def needed() -> "Keys":
    """The keys. Raises BadConfig where the environment has none."""
    found = key()
    if found is None:
        raise BadConfig(f"The environment has no {KEY}. Make one, and keep it outside the store: openssl rand -hex 32")
    return found


def through_the_door(config: Config, events: "pl.DataFrame", folder: Path) -> "pl.DataFrame":
    """Events as read -> those that may be stored; the report of data minimisation goes to folder/door.json.

    Where neither the section privacy, a consent flag nor an erasure list asks for anything, events stay as they are.
    """
    from recloop.privacy.door import admit

    listed = erased(config)
    if not (config.privacy.active or config.data.consent or listed):
        return events
    keys = needed() if config.privacy.pseudonymise or listed else None
    admitted, report = admit(
        events, config=config.privacy, keys=keys, erased=listed, unread=_unread(config), now=datetime.now(UTC)
    )
    report.save(folder / REPORT)
    return admitted


def remembered(config: Config, events: "pl.DataFrame") -> "pl.DataFrame":
    """Events that are stored already, without those of erased people and those older than their kind is kept."""
    from recloop.privacy.door import forgotten, unexpired

    listed = erased(config)
    kept = forgotten(events, needed(), listed)[0] if listed else events
    return unexpired(kept, config.privacy, datetime.now(UTC))[0]


def people(config: Config, attributes: "pl.DataFrame") -> "pl.DataFrame":
    """Attributes of users as they may be stored: without erased people, and by pseudonym where the section asks for that."""
    from recloop.columns import Columns
    from recloop.privacy.door import forgotten
    from recloop.privacy.pseudonyms import pseudonyms

    listed = erased(config)
    kept = forgotten(attributes, needed(), listed)[0] if listed else attributes
    if not config.privacy.pseudonymise:
        return kept
    return kept.with_columns(pseudonyms(kept[Columns.User], needed()).alias(Columns.User)).sort(Columns.User)


def renaming(config: Config) -> "Callable[[Sequence[str]], list[str]] | None":
    """Ids as callers of the service send them -> pseudonyms; None where callers send these themselves."""
    if not config.privacy.raw_ids:
        return None
    from recloop.privacy.pseudonyms import pseudonyms_of

    secret = needed()
    return lambda ids: pseudonyms_of(ids, secret)


def erase(config: Config, user: str) -> str:
    """Put a person on the erasure list, as a pseudonym -> that. Their events are left out from the next ingest on."""
    from recloop.privacy.pseudonyms import pseudonym

    made = pseudonym(user, needed())
    store, place = open_store(settings().store_uri), _list(config)
    found = store.version(place)
    listed = sorted({*(json.loads(found[0]) if found else ()), made})
    store.swap(place, json.dumps(listed, indent=1).encode(), expected=found[1] if found else None)
    return made


def erased(config: Config) -> frozenset[str]:
    """Pseudonyms of the people on the erasure list."""
    data = open_store(settings().store_uri).read(_list(config))
    return frozenset(json.loads(data)) if data else frozenset()


def report(config: Config) -> dict[str, Any] | None:
    """The newest report of data minimisation; None where the door was open."""
    path = opened(required(config, "events"), kind="events").path / REPORT
    return dict(json.loads(path.read_text())) if path.is_file() else None


def scan(id_: str, folder: Path | None) -> "dict[str, Scan]":
    """Look for an id in the clear -> what was found by place: a folder, or this machine's home and the store."""
    from recloop.privacy.scan import scan as through

    if folder is not None:
        return {str(folder): through(folder, id_)}
    found = {str(settings().folder): through(settings().folder, id_)}
    store = settings().store_uri
    local = store.removeprefix("file://")
    if not Path(local).is_relative_to(settings().folder):
        found[store] = _scan_store(id_)
    return found


def _scan_store(id_: str) -> "Scan":
    from recloop.privacy.scan import Scan, traces

    store, found, size = open_store(settings().store_uri), [], 0
    keys = store.keys("")
    with tempfile.TemporaryDirectory() as folder:
        for name in keys:
            path = Path(folder) / name.rsplit("/", 1)[-1]
            store.download(name, path)
            size += path.stat().st_size
            found += [f"{name}{where}" for where in traces(path, id_)]
            path.unlink()
    return Scan(len(keys), size, tuple(found))


def _unread(config: Config) -> list[str]:
    """Columns of the source's events that no part of the configuration names."""
    from recloop.columns import EVENT_COLUMNS
    from recloop.data.sources.collect import BUILDERS

    if config.data.source == "kafka":
        return []  # of a message only what is named is stored, and what else it holds would have to be read to be told
    source = BUILDERS[config.data.source](filled(config.data), None, settings().sets)
    used = {*config.data.columns.values(), *config.data.item_columns.values(), config.data.consent}
    used |= {c for c in EVENT_COLUMNS if c not in config.data.columns}
    return [name for name in source.events().collect_schema().names() if name not in used]


def _list(config: Config) -> str:
    return f"privacy/{config.scenario}/erased.json"
