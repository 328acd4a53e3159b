"""One run a scenario: the lease that a step or a pipeline holds while it works."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from recloop_pipelines.settings import settings

if TYPE_CHECKING:
    from recloop.ledger import Held

SECONDS = 60.0


def myself(what: str) -> str:
    """A holder's name that no other process has."""
    return f"{what} (pid {os.getpid()} on {socket.gethostname()})"


@contextmanager
def leased(scenario: str, *, holder: str) -> "Iterator[Held]":
    """Hold the scenario while the block works. Raises Busy naming the holder, Unavailable without a data base."""
    from recloop import ledger

    engine = ledger.connect(settings().database_url)
    try:
        with ledger.held(engine, scenario, holder, clock=time.time, ttl=SECONDS) as held:
            yield held
    finally:
        engine.dispose()
