"""How long the parts of one call took, told to whoever asks and to nobody else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_laps: ContextVar[dict[str, float] | None] = ContextVar("laps", default=None)


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Seconds by name of every `lap` inside, added up."""
    found: dict[str, float] = {}
    token = _laps.set(found)
    try:
        yield found
    finally:
        _laps.reset(token)


@contextmanager
def lap(name: str) -> Iterator[None]:
    """Count the time inside under a name, where anybody measures."""
    found = _laps.get()
    start = time.perf_counter()
    yield
    if found is not None:
        found[name] = found.get(name, 0.0) + time.perf_counter() - start
