"""The recommendation service of one scenario: follows the pointer, ships its journal."""

import json
import time
from pathlib import Path

from recloop.artifacts import Pointer, current, open_store
from recloop.config import Config
from recloop_pipelines.settings import opened, settings

SECONDS = 1.0
"""between looks at the pointer"""


def serve(config: Config, *, host: str, port: int, bundle: str = "", journal: str = "") -> None:
    """Serve until stopped; what was acknowledged is on disk. `bundle`: serve this folder and follow no pointer."""
    import uvicorn

    from recloop.serving.app import create_app, guard
    from recloop.serving.engine import Engine
    from recloop.serving.journal import Journal
    from recloop.serving.keys import Keys
    from recloop.serving.shipping import Shipper
    from recloop.serving.state import State
    from recloop.serving.watcher import Watcher

    # a trial asks as anybody may, on loopback: see `guard`
    keys = Keys.load(Path(settings().keys)) if settings().keys and not bundle else None
    guard(host, keys)
    log = Journal(Path(journal) if journal else settings().folder / "journal" / config.scenario)
    engine = Engine(State(log.replay()), k=config.serving.k, max_k=config.serving.max_k)
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
        )
    app = create_app(engine, log, clock=time.time, keys=keys, watcher=watcher, shipper=shipper)
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning", timeout_graceful_shutdown=10)


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
    return opened(found.release, kind="release").path


def segments(config: Config) -> str:
    """Where the store keeps the journal's sealed segments."""
    return f"journal/{config.scenario}/"


def ship(config: Config, path: Path) -> None:
    """Put a sealed segment into the store and wake the DAG that waits for it; twice is once."""
    from recloop_pipelines.airflow_api import AirflowApi

    store = open_store(settings().store_uri)
    key = segments(config) + path.name
    if store.read(key) is None:
        store.upload(path, key)
    if settings().airflow:
        extra = {"uri": f"{settings().store_uri}/{key}", "scenario": config.scenario}
        AirflowApi.from_environment(settings().airflow).announce("journal", extra)


def facts(folder: Path) -> dict[str, int]:
    """release.json of a bundle."""
    found: dict[str, int] = json.loads((folder / "release.json").read_text())
    return found
