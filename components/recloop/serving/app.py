"""The HTTP service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from recloop import __version__
from recloop.errors import BadConfig
from recloop.serving import administration, answers, intake, problems
from recloop.serving.engine import Engine
from recloop.serving.journal import Journal
from recloop.serving.keys import Keys, permission
from recloop.serving.monitoring import Monitoring
from recloop.serving.service import Service
from recloop.serving.shipping import Shipper
from recloop.serving.watcher import Watcher

LOOPBACK = ("127.0.0.1", "::1", "localhost")
DESCRIPTION = """Recommendations that name their release, and events that are safe once acknowledged.

Errors are `application/problem+json` and name the field. Writes need an API key: `Authorization: Bearer ...` or
`X-API-Key: ...`."""


def guard(host: str, keys: Keys | None) -> None:
    """Refuse to serve without keys on anything but loopback. Raises BadConfig."""
    if keys is None and host not in LOOPBACK:
        raise BadConfig(
            f"{host} is not loopback and there are no API keys. Name a keys file in RECLOOP_KEYS, or bind to 127.0.0.1."
        )


def create_app(
    engine: Engine,
    journal: Journal,
    *,
    clock: Callable[[], float],
    keys: Keys | None,
    watcher: Watcher | None = None,
    shipper: Shipper | None = None,
) -> FastAPI:
    """Parts -> app, which starts and stops them. Without keys every caller may write: only for loopback, see `guard`."""
    service = Service(engine, journal, clock, permission(keys), Monitoring(), watcher, shipper)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        started = [part for part in (watcher, shipper) if part]
        for part in started:
            part.start()
        yield
        for part in started:
            part.stop()
        journal.close()

    app = FastAPI(title="Recloop", version=__version__, description=DESCRIPTION, lifespan=lifespan)
    problems.install(app)
    app.add_middleware(problems.BodyLimit)
    for part in (answers, intake, administration):
        app.include_router(part.routes(service))
    return app
