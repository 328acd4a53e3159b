"""What both clients do with events."""

from collections.abc import Sequence
from typing import Any

from recloop import __version__
from recloop.client.replies import Event, Result, content


def headers(key: str) -> dict[str, str]:
    """Headers of every request."""
    return {"User-Agent": f"recloop-client/{__version__}"} | ({"Authorization": f"Bearer {key}"} if key else {})


def stamped(events: Sequence[Event], *, now: float) -> list[dict[str, Any]]:
    """Events as they are sent, with their moment: one that waits happened when it was made, not when it arrives."""
    return [{"time": now} | content(event) for event in events]


def unsent(made: Sequence[dict[str, Any]], settled: Sequence[Result]) -> list[Result]:
    """What became of each of the events made; what is not settled is queued."""
    known = {result.event_id: result for result in settled}
    return [known.get(e["event_id"]) or Result(event_id=e["event_id"], status="queued") for e in made]
