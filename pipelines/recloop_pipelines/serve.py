"""The recommendation service of one scenario: follows the pointer, ships its journal."""

import gc
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from recloop.artifacts import Pointer, current, open_store
from recloop.artifacts.artifact import export
from recloop.config import Config
from recloop_pipelines.answering import answering
from recloop_pipelines.listening import Tls, audit, listen, traced
from recloop_pipelines.privacy import renaming
from recloop_pipelines.settings import opened, settings
from recloop_pipelines.trying import traffic_of, trials_of

if TYPE_CHECKING:
    from recloop.serving.engine import Engine
    from recloop.serving.journal import Journal
    from recloop.serving.keyring import KeyFile
    from recloop.serving.pruning import Pruning
    from recloop.serving.stages import Serving

SECONDS = 1.0
"""between looks at the pointer"""


def serve(config: Config, *, host: str, port: int, bundle: str = "", journal: str = "", tls: Tls | None = None) -> None:
    """Serve until stopped; what was acknowledged is on disk.

    `bundle`: serve this folder, ask nobody for a key and follow no pointer; its journal and rules are its own.
    """
    from recloop.serving.app import create_app, guard
    from recloop.serving.journal import Journal
    from recloop.serving.keyring import KeyFile
    from recloop.serving.shipping import Shipper
    from recloop.serving.watcher import Watcher

    _alone()
    # a trial asks as anybody may, on loopback: see `guard`
    keys = None if bundle else _keys(KeyFile)
    guard(host, keys)
    kept = _kept(config, journal, apart=bool(bundle))
    log = Journal(kept)
    traffic = None if bundle else traffic_of(config)
    engine, rules = answering(config, log, _rules(config, kept), traffic)
    _steady(engine)
    watcher = shipper = None
    store = open_store(settings().store_uri)
    if bundle:
        _load(engine, Path(bundle))
    else:
        watcher = Watcher(
            engine,
            poll=lambda: current(store, config.scenario),
            fetch=_fetch,
            seconds=SECONDS,
            remembered=settings().folder / "serving" / f"{config.scenario}.json",
        )
        shipper = Shipper(
            log,
            ship=lambda path: ship(config, path),
            clock=time.monotonic,
            max_events=config.serving.segment_events,
            max_seconds=config.serving.segment_seconds,
            prune=_pruning(config, log, engine).look,
        )
    app = create_app(
        engine,
        log,
        clock=time.time,
        keys=keys,
        watcher=watcher,
        shipper=shipper,
        limits=config.serving,
        rules=rules,
        around=config.edge,
        audit=audit(),
        trials=trials_of(config, engine, traffic, log, store) if traffic else None,
        # the try of a bundle asks for the users whom the bundle names
        rename=None if bundle else renaming(config),
    )
    traced(app, engine)
    listen(app, config.edge, host=host, port=port, tls=tls)


def _pruning(config: Config, log: "Journal", engine: "Engine") -> "Pruning":
    """Segments go when they are old and the release that serves has their events."""
    from recloop.serving.pruning import Pruning

    def end() -> int | None:
        return engine.serving.bundle.end if engine.serving else None

    return Pruning(log, end=end, clock=time.time, keep=config.serving.keep_days * 86_400)


def _alone() -> None:
    """One thread of linear algebra, for the model has one of its own: two of each on two cores stall each other."""
    import sys

    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    # the loop and the model share one interpreter: who waits for it waits no longer than this, in seconds
    sys.setswitchinterval(5e-4)


def _steady(engine: "Engine") -> None:
    """Let the collector of garbage look seldom, at little, and when a release is taken up: its pauses are answers' too."""
    gc.freeze()
    # of young objects, before it looks at all: a request leaves none behind that only it could find
    gc.set_threshold(20_000, 20, 100)
    engine.preparations.append(_swept)


def _swept(_: "Serving") -> None:
    """Free what older releases left behind."""
    gc.collect()


def _keys(read: "type[KeyFile]") -> "KeyFile | None":
    """The keys that the service obeys: of the file that is named, or of the home's where there is one."""
    path = settings().keys_file
    return read(path) if settings().keys or path.exists() else None


def _kept(config: Config, journal: str, *, apart: bool) -> Path:
    """The journal's folder; that of a bundle served alone is apart from the scenario's."""
    if journal:
        return Path(journal)
    return settings().folder / ("trials" if apart else "journal") / config.scenario


def _rules(config: Config, journal: Path) -> Path:
    """Where rules that were put at run time are kept; where the journal is not the scenario's, they lie beside it."""
    if journal == settings().folder / "journal" / config.scenario:
        return settings().folder / "serving" / f"{config.scenario}-rules"
    return journal.with_suffix(".rules")


def _load(engine: "object", folder: Path) -> None:
    from recloop.serving.bundle import Bundle
    from recloop.serving.engine import Engine

    assert isinstance(engine, Engine)
    engine.swap(Bundle.load(folder), digest="trial", generation=0)


def _fetch(found: Pointer) -> Path:
    """The bundle's folder; the local copy where the store is down."""
    local = settings().folder / "cache" / found.digest
    if local.is_dir():
        return local
    made = opened(found.release, kind="release")
    if made.path == local or made.path.is_relative_to(settings().folder):
        return made.path
    # a store that is a folder elsewhere may be away at the next start
    with tempfile.TemporaryDirectory(prefix=".keep-", dir=settings().folder) as part:
        export(made, Path(part) / "files")
        local.parent.mkdir(exist_ok=True)
        (Path(part) / "files").rename(local)
    return local


def segments(config: Config) -> str:
    """Where the store keeps the journal's sealed segments."""
    return f"journal/{config.scenario}/"


def ship(config: Config, path: Path) -> None:
    """Put a sealed segment into the store and wake the DAG that waits for it; twice is once."""
    from recloop_pipelines.airflow_api import wake

    store = open_store(settings().store_uri)
    key = segments(config) + path.name
    if store.read(key) is None:
        store.upload(path, key)
    wake("journal", f"{settings().store_uri}/{key}", config.scenario)


def facts(folder: Path) -> dict[str, int]:
    """release.json of a bundle."""
    found: dict[str, int] = json.loads((folder / "release.json").read_text())
    return found
