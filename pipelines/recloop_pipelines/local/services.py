"""Start, stop and look at the embedded services."""

import fcntl
import os
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from recloop.errors import Stopped
from recloop_pipelines.console import REPORT
from recloop_pipelines.local import postgres, supervision
from recloop_pipelines.local.components import Component, components
from recloop_pipelines.local.installation import (
    Installation,
    airflow_environment,
    installation,
    keep,
    with_free_ports,
)
from recloop_pipelines.local.installation import environment as environment_of
from recloop_pipelines.settings import Settings

WAIT = 240.0
"""seconds in which a component must answer"""
BUCKETS = ("recloop", "mlflow")


def up(settings: Settings, *, config: Path | None = None, only: Collection[str] = ()) -> list[dict[str, Any]]:
    """Start what does not run (`only` some of it, with what it needs) and wait until each answers -> their status.

    Raises Stopped naming what died or did not answer, with the end of its log, and where another configuration is served.
    """
    with _alone(settings.folder):
        made = _supervised(installation(settings.folder, config))
        wanted = _with_needs(components(made), only)
        _start(made, wanted, REPORT.get())
    return status(settings, only=only)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Wait for another `up` or `down` of the same home; the lock ends with its process."""
    with (home / "up.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _supervised(made: Installation) -> Installation:
    """The installation under a running supervisord, with ports that are free."""
    if supervision.running(made):
        serves = installation(made.home, None).config
        if made.config != serves:
            raise Stopped(
                f"The services of {made.home} run with {serves}, not with {made.config}. Stop them first: `recloop down`."
            )
        return made
    supervision.stop(made, [])
    made = with_free_ports(made)
    keep(made)
    (made.home / "datadocs").mkdir(exist_ok=True)
    postgres.prepare(made)
    supervision.start(made, components(made))
    return made


def _with_needs(known: list[Component], only: Collection[str]) -> list[Component]:
    """The components named (all where none is), and every one that must answer before them."""
    names = set(only) or {part.name for part in known}
    for part in reversed(known):
        names |= set(part.after) if part.name in names else set()
    return [part for part in known if part.name in names]


def _start(made: Installation, wanted: list[Component], tell: Callable[[str, float], None]) -> None:
    """Start each as soon as what it needs answers; Airflow's tables are made beside."""
    begin = time.monotonic()
    done: set[str] = set()
    attempts: dict[str, _Attempt] = {}
    with ThreadPoolExecutor(1) as pool:
        preparing: Future[None] | None = None
        while not {part.name for part in wanted} | {"stores"} <= done:
            preparing = _prepare(made, wanted, done, preparing, pool)
            for part in wanted:
                if part.name not in attempts and _may_start(part, done):
                    supervision.launch(made, part.name)
                    attempts[part.name] = _Attempt(time.monotonic())
                if part.name in attempts and part.name not in done and _up(made, part, attempts[part.name]):
                    done.add(part.name)
                    tell(f"{part.name} answers after {time.monotonic() - begin:.1f} s", len(done) / (len(wanted) + 2))
            time.sleep(0.2)


@dataclass
class _Attempt:
    """When a component was started, and the processes it has had since."""

    since: float
    pids: set[int] = field(default_factory=set)


def _may_start(part: Component, done: set[str]) -> bool:
    return not part.after or {*part.after, "stores"} <= done


def _prepare(
    made: Installation,
    wanted: list[Component],
    done: set[str],
    running: "Future[None] | None",
    pool: ThreadPoolExecutor,
) -> "Future[None] | None":
    """Data bases and buckets once their servers answer, then Airflow's migration in the background."""
    names = {part.name for part in wanted}
    if "stores" not in done and {"postgres", "seaweedfs"} & names <= done:
        _stores(made, names)
        done.add("stores")
    if "stores" in done and running is None and any(name.startswith("airflow") for name in names):
        return pool.submit(_migrate, made)
    if running is not None and running.done() and "migrated" not in done:
        running.result()
        done.add("migrated")
    return running


def _up(made: Installation, part: Component, attempt: _Attempt) -> bool:
    """Whether it answers. Raises Stopped where it was given up, keeps dying, or is out of time."""
    if part.answers() and supervision.owns(made, part):
        return True
    attempt.pids |= supervision.refuse_dead(made, part.name)
    if len(attempt.pids) > supervision.RETRIES:
        raise Stopped(
            f"{part.name} died {supervision.RETRIES} times before it answered. Its log ends:\n{supervision.tail(made, part.name)}"
        )
    if time.monotonic() - attempt.since > WAIT:
        raise Stopped(f"{part.name} did not answer in {WAIT:.0f} s. Its log ends:\n{supervision.tail(made, part.name)}")
    return False


def _stores(made: Installation, names: set[str]) -> None:
    """Data bases and buckets; both servers may need a moment after their port opens."""
    from tenacity import Retrying, stop_after_delay, wait_fixed

    for attempt in Retrying(stop=stop_after_delay(30), wait=wait_fixed(0.2), reraise=True):
        with attempt:
            if "postgres" in names:
                postgres.create_databases(made)
            if "seaweedfs" in names:
                _buckets(made)


def _buckets(made: Installation) -> None:
    """Buckets are the folders of SeaweedFS's filer below /buckets."""
    for name in BUCKETS:
        address = f"http://127.0.0.1:{made.ports['filer']}/buckets/{name}/"
        if httpx.get(address, timeout=5).status_code == httpx.codes.NOT_FOUND:
            httpx.post(address, timeout=5).raise_for_status()


def _migrate(made: Installation) -> None:
    """Airflow's tables, once for each version."""
    mark = made.home / "airflow" / f"migrated-{version('apache-airflow')}"
    if mark.exists():
        return
    run = subprocess.run(
        [f"{made.names['bin']}/airflow", "db", "migrate"],
        env=os.environ | environment_of(made) | airflow_environment(made),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise Stopped(f"Airflow's data base could not be made: {run.stderr[-1500:]}")
    mark.touch()


def down(settings: Settings) -> list[str]:
    """Stop everything in reverse order; what the services hold is kept -> names of what ran."""
    made = installation(settings.folder, None)
    waves: dict[tuple[str, ...], list[str]] = {}
    for part in components(made):
        waves.setdefault(part.after, []).append(part.name)
    with _alone(made.home):
        return supervision.stop(made, list(reversed(waves.values())))


def status(settings: Settings, *, only: Collection[str] = ()) -> list[dict[str, Any]]:
    """Each component with state, pid, url, health and seconds up."""
    made = installation(settings.folder, None)
    known = supervision.states(made) if supervision.running(made) else {}
    return [_status(part, known.get(part.name, {})) for part in components(made) if not only or part.name in only]


def _status(part: Component, info: dict[str, Any]) -> dict[str, Any]:
    runs = info.get("statename") in ("STARTING", "RUNNING")
    return {
        "name": part.name,
        "state": str(info.get("statename", "STOPPED")).lower(),
        "pid": info.get("pid") or None,
        "url": part.url or None,
        "healthy": runs and part.answers(),
        "seconds": int(info["now"] - info["start"]) if runs else 0,
    }


def environment(settings: Settings) -> dict[str, str]:
    """What a client of the embedded services needs."""
    return environment_of(installation(settings.folder, None))
