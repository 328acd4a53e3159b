"""A stranger's data -> a scenario: what `recloop init` looks at, and the YAML that it writes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recloop.config import Config, DataConfig, parse
from recloop.errors import BadConfig, BadData
from recloop_pipelines.settings import settings
from recloop_pipelines.source import collected, filled

if TYPE_CHECKING:
    import polars as pl

    from recloop.data.onboarding.limits import Limits
    from recloop.data.onboarding.understand import Hints, Understanding

ROWS = 3_000_000
"""rows that are read to set limits"""
WARNS = "check: days unlike the others are only reported; once the findings are understood, set quality.watch.act: stop"
URLS = ("postgresql", "mysql", "mariadb", "sqlite")


@dataclass(frozen=True)
class Onboarded:
    """What was understood, the limits that were measured, and the file that holds both."""

    understood: "Understanding"
    limits: "Limits"
    config: Config
    path: Path

    @property
    def doubts(self) -> tuple[str, ...]:
        """All that a person should look at."""
        return (*self.understood.doubts, *self.limits.doubts, WARNS)


def onboard(name: str, *, events: str, items: str, users: str, database: str, hints: "Hints", force: bool) -> Onboarded:
    """Look at the data, understand it, write <configs>/<name>.yaml.

    Raises BadConfig where the file exists, BadData where the data cannot be read or understood, Unavailable.
    """
    from recloop.data.onboarding.limits import limits
    from recloop.data.onboarding.people import with_people
    from recloop.data.onboarding.understand import understand
    from recloop.data.onboarding.written import written
    from recloop.data.sources.readable import readable

    path = settings().configs / f"{name}.yaml"
    if path.exists() and not force:
        raise BadConfig(f"{path} exists. Write it anew with --force, or choose another name.")
    source = _source(events, items, database)
    raw, catalogue = _tables(source)
    with readable(events):
        understood = understand(raw, catalogue, hints)
    people = _people(source, users)
    if people is not None:
        understood = with_people(understood, people, users, hints)
    data = {**source, **understood.data}
    config = parse({"scenario": name, "data": data}, name=str(path))
    read, described = collected(config.data, limit=ROWS)
    found = limits(read, described, now=datetime.now(UTC))
    sections = _watched({"data": data, **found.sections})
    config = parse({"scenario": name, **sections}, name=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(name, sections, (*understood.doubts, *found.doubts, WARNS)))
    return Onboarded(understood, found, config, path)


def _watched(sections: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The watch over days at first only reports: a history that nobody has looked at may hold what it would stop at."""
    zone = {"zone": sections["data"]["timezone"]} if "timezone" in sections["data"] else {}
    quality = {**sections.get("quality", {}), "watch": {"act": "warn", **zone}}
    return {**sections, "quality": quality}


def _source(events: str, items: str, database: str) -> dict[str, Any]:
    """Keys of the section data that say where the tables are."""
    if events.partition(":")[0].partition("+")[0] in URLS and "://" in events:
        raise BadData(f"{events!r} is a database: give it as --database, and a table or a SELECT as --events.")
    if events.startswith("kafka://"):
        return {"source": "kafka", "events": events, **({"items": items} if items else {})}
    found: dict[str, Any] = {"source": "database" if database else "table", "events": events}
    found |= {"database": database} if database else {}
    found |= {"items": items} if items else {}
    return found if database else {**found, **_dialect(events)}


def _people(source: Mapping[str, Any], users: str) -> "pl.LazyFrame | None":
    """Raw rows of the users; None where none are given."""
    from recloop.data.sources.people import people

    return people(filled(DataConfig(**source)).model_copy(update={"users": users or None}))


def _dialect(events: str) -> dict[str, str]:
    """How a local CSV is written, as far as that is not usual."""
    from recloop.data.onboarding.dialect import guess_dialect
    from recloop.data.sources.table import local

    if events.startswith("s3://"):
        return {}
    kind, places = local(events)
    if kind not in {"csv", "tsv"}:
        return {}
    dialect = guess_dialect(Path(places[0]))
    found = {"separator": dialect.separator, "encoding": dialect.encoding if dialect.encoding != "utf8" else ""}
    return {key: value for key, value in found.items() if value}


def _tables(source: Mapping[str, Any]) -> "tuple[pl.LazyFrame, pl.LazyFrame | None]":
    """The raw rows; of a database no more than are looked at."""
    from recloop.data.onboarding.understand import LOOKED
    from recloop.data.sources.collect import BUILDERS
    from recloop.data.sources.database import Database
    from recloop.data.sources.readable import readable

    config = filled(DataConfig(**source))
    found = BUILDERS[config.source](config, None, None)
    if isinstance(found, Database):
        found = replace(found, limit=LOOKED)
    with readable(found.name):
        return found.events(), found.items()
