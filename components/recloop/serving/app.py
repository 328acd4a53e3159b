"""The HTTP service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from recloop import __version__
from recloop.config import EdgeConfig, ServingConfig
from recloop.config.edge import LOOPBACK
from recloop.errors import BadConfig
from recloop.serving import administration, answers, edge, intake, problems
from recloop.serving.abuse import Abuse
from recloop.serving.admission import Admission
from recloop.serving.audit import Audit
from recloop.serving.bodies import BodyLimit
from recloop.serving.engine import Engine
from recloop.serving.journal import Journal
from recloop.serving.keys import Known, permission
from recloop.serving.monitoring import Monitoring
from recloop.serving.people import Rename
from recloop.serving.rules import routes as merchandising
from recloop.serving.rules.book import Rulebook
from recloop.serving.service import Service
from recloop.serving.shipping import Shipper
from recloop.serving.together import Together
from recloop.serving.trials import Trials
from recloop.serving.trials import routes as trials_routes
from recloop.serving.watcher import Watcher

DEFAULT = ServingConfig()
EDGE = EdgeConfig()
DESCRIPTION = """Recommendations that name their release, and events that are safe once acknowledged.

Errors are `application/problem+json` and name the field. Writes need an API key: `Authorization: Bearer ...` or
`X-API-Key: ...`."""


def guard(host: str, keys: Known | None) -> None:
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
    keys: Known | None,
    watcher: Watcher | None = None,
    shipper: Shipper | None = None,
    limits: ServingConfig = DEFAULT,
    rules: Rulebook | None = None,
    around: EdgeConfig = EDGE,
    audit: Audit | None = None,
    trials: Trials | None = None,
    rename: Rename | None = None,
) -> FastAPI:
    """Parts -> app, which starts and stops them. Without keys every caller may write: only for loopback, see `guard`.

    rename: ids of people as callers send them -> as they are kept; None where these are the same.
    """
    admission = Admission(engine.proposed, batch=limits.batch, queue=limits.queue, patience=limits.patience_seconds)
    may = permission(keys, read_needs_key=around.read_needs_key)
    monitoring, abuse = Monitoring(), Abuse(around.abuse)
    service = Service(
        engine,
        admission,
        journal,
        Together(journal),
        clock,
        may,
        monitoring,
        abuse,
        watcher,
        shipper,
        keys,
        trials,
        rename,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        started = [part for part in (watcher, shipper, trials) if part]
        for part in started:
            part.start()
        yield
        for part in started:
            part.stop()
        admission.close()
        journal.close()

    # its page of the API needs no other server
    app = FastAPIOffline(
        title="Recloop",
        version=__version__,
        description=DESCRIPTION,
        responses=problems.DOCUMENTED,
        lifespan=lifespan,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(BodyLimit, seconds=around.body_seconds)
    for part in (answers, intake, administration):
        app.include_router(part.routes(service))
    if trials:
        app.include_router(trials_routes(trials, may, clock))
    if rules:
        app.include_router(merchandising.routes(service, rules))
    edge.install(app, around, keys=keys, audit=audit, monitoring=monitoring, clock=clock)
    return app
