"""What a check set aside: kept with its reason, looked at, and let in again once it is repaired or approved.

In the store, below `quarantine/<scenario>/`: `cases/<run>/` (refused.parquet, findings.parquet, watch.json) of every check that
failed, `allowed.json` (findings that people let pass) and `repaired/<sha256>.parquet` (rows that replace others by event id).
"""

import hashlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recloop.artifacts import open_store
from recloop.artifacts.store import Store
from recloop.config import Config
from recloop.errors import BadData
from recloop_pipelines.places import latest
from recloop_pipelines.settings import opened, settings

if TYPE_CHECKING:
    import polars as pl

FILES = {"quarantine.parquet": "refused.parquet", "findings.parquet": "findings.parquet", "watch.json": "watch.json"}
"""file of a failed check's Data Docs -> file of its case"""
CHECKED = "checked"
"""name of the case that is the newest good check: rows that it refused while the rest was let in"""


@dataclass(frozen=True)
class Case:
    """A check that failed, or the newest that did not: what it set aside."""

    name: str
    refused: "pl.DataFrame"
    """rows with their reason"""
    concerned: "pl.DataFrame"
    """rows of the findings, each with the key of its finding"""
    findings: list[dict[str, Any]]


def set_aside(config: Config, run: str, docs: Path) -> None:
    """Keep what a failed check refused, from its Data Docs' folder."""
    for name, kept in FILES.items():
        if (docs / name).is_file():
            _store().upload(docs / name, f"{_root(config)}/cases/{run}/{kept}")


def cases(config: Config) -> list[Case]:
    """Failed checks, oldest first, then the newest good one. A check that was good again leaves the failed ones to be read."""
    keys = _store().keys(f"{_root(config)}/cases/")
    names = sorted({key.split("/")[-2] for key in keys})
    return [*(_case(config, name) for name in names), *_good(config)]


def case(config: Config, name: str) -> Case:
    """One case. Raises BadData that lists what there is."""
    every = {found.name: found for found in cases(config)}
    if name not in every:
        raise BadData(f"{config.scenario} has no case {name!r} in quarantine; there are {', '.join(every) or 'none'}.")
    return every[name]


def allow(config: Config, keys: list[str], *, by: str) -> list[str]:
    """Let findings pass at the next check -> all that are let pass. Raises BadData for one that no case has."""
    known = {f"{f['check']} {f['day']}" for found in cases(config) for f in found.findings}
    strange = [key for key in keys if key not in known]
    if strange:
        raise BadData(f"No case has the finding {strange[0]!r}; there are: {', '.join(sorted(known)) or 'none'}.")
    store, key = _store(), f"{_root(config)}/allowed.json"
    found = store.version(key)
    passed = json.loads(found[0]) if found else {}
    passed |= {name: by for name in keys if name not in passed}
    store.swap(key, json.dumps(passed, sort_keys=True, indent=1).encode(), expected=found[1] if found else None)
    return sorted(passed)


def allowed(config: Config) -> frozenset[str]:
    """Findings that people let pass."""
    data = _store().read(f"{_root(config)}/allowed.json")
    return frozenset(json.loads(data)) if data else frozenset()


def repair(config: Config, path: Path) -> int:
    """Keep repaired rows, which replace those of their event ids at the next check -> how many. Raises BadData."""
    import polars as pl

    from recloop.data.events import EVENT_SCHEMA
    from recloop.data.sources.table import scan

    raw = scan(str(path), None).collect()
    lacking = [c for c in EVENT_SCHEMA.names() if c not in raw.columns]
    if lacking:
        raise BadData(f"{path} lacks {', '.join(lacking)}. Take the columns of `recloop quarantine show --out`.")
    try:
        rows = raw.select(pl.col(c).cast(kind) for c, kind in EVENT_SCHEMA.items())
    except pl.exceptions.PolarsError as error:
        raise BadData(f"{path} has values of other types than events have: {error}") from error
    buffer = io.BytesIO()
    rows.write_parquet(buffer)
    data = buffer.getvalue()
    _store().write(f"{_root(config)}/repaired/{hashlib.sha256(data).hexdigest()}.parquet", data)
    return rows.height


def repaired(config: Config) -> list[str]:
    """Keys of all repaired rows."""
    return _store().keys(f"{_root(config)}/repaired/")


def readmitted(config: Config, events: "pl.DataFrame") -> "pl.DataFrame":
    """Events as read -> the same with repaired rows in the place of those with their event ids, at the end."""
    import polars as pl

    files = [_parquet(key) for key in repaired(config)]
    if not files:
        return events
    rows = pl.concat(files).unique("event_id", keep="last", maintain_order=True)
    kept = events.join(rows.select("event_id"), on="event_id", how="anti", maintain_order="left")
    return pl.concat([kept, rows], how="diagonal").select(events.columns)


def _good(config: Config) -> list[Case]:
    uri = latest(config, "checked")
    if uri is None:
        return []
    import polars as pl

    folder = opened(uri, kind="checked").path
    watched = folder / "watch.json"
    findings = json.loads(watched.read_text())["findings"] if watched.is_file() else []
    return [Case(CHECKED, pl.read_parquet(folder / "quarantine.parquet"), pl.DataFrame(), findings)]


def _case(config: Config, name: str) -> Case:
    place = f"{_root(config)}/cases/{name}"
    data = _store().read(f"{place}/watch.json")
    return Case(
        name,
        _parquet(f"{place}/refused.parquet"),
        _parquet(f"{place}/findings.parquet"),
        json.loads(data)["findings"] if data else [],
    )


def _parquet(key: str) -> "pl.DataFrame":
    import polars as pl

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        _store().download(key, path)
        return pl.read_parquet(path)


def _root(config: Config) -> str:
    return f"quarantine/{config.scenario}"


def _store() -> Store:
    return open_store(settings().store_uri)
