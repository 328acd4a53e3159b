"""The parts of one running service, as its routes see them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from starlette.responses import Response

from recloop.serving.abuse import Abuse
from recloop.serving.admission import Admission
from recloop.serving.engine import Engine
from recloop.serving.journal import Journal
from recloop.serving.keys import Known, May
from recloop.serving.monitoring import Monitoring
from recloop.serving.people import Rename
from recloop.serving.shipping import Shipper
from recloop.serving.together import Together
from recloop.serving.watcher import Watcher


class Hears(Protocol):
    """What follows the journal's records as they come."""

    @property
    def reasons(self) -> dict[str, str]:
        """What is wrong, by part."""

    def observe(self, record: Mapping[str, Any]) -> None:
        """Hear of an answer or a new event; from the server's loop, at once."""


@dataclass(frozen=True)
class Service:
    """What the routes share. clock: seconds since the epoch, UTC."""

    engine: Engine
    admission: Admission
    journal: Journal
    together: Together
    clock: Callable[[], float]
    may: May
    monitoring: Monitoring
    abuse: Abuse
    watcher: Watcher | None
    shipper: Shipper | None
    keys: Known | None
    trials: Hears | None = None
    rename: Rename | None = None
    """None: callers send the ids that are kept"""

    def state(self) -> dict[str, Any]:
        """ready, release and generation."""
        serving = self.engine.serving
        if serving is None:
            return {"ready": False, "release": None, "generation": 0}
        return {"ready": True, "release": serving.digest, "generation": serving.generation}

    def degraded(self) -> dict[str, str]:
        """What does not work beside what serves, by part."""
        parts = (self.journal, self.watcher, self.shipper, self.keys, self.trials)
        return {name: reason for part in parts if part for name, reason in part.reasons.items()}


def answered(body: Any, status: int = 200) -> Response:
    """Body -> JSON response."""
    return Response(orjson.dumps(body), status, media_type="application/json")
