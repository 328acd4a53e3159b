"""Answers on their way to the journal: nobody waits for the disk."""

import asyncio
from typing import Any

from prometheus_client import Counter

from recloop.serving.together import Together


class Notes:
    """Journals answers. A full disk costs the records, which `lost` counts; it stops no shopper."""

    def __init__(self, journal: Together, lost: Counter) -> None:
        self.journal, self.lost = journal, lost

    def add(self, record: dict[str, Any]) -> None:
        """Journal a record before the loop's next turn ends."""
        self.journal.append([record]).add_done_callback(self._settled)

    def _settled(self, done: "asyncio.Future[list[bool]]") -> None:
        if done.cancelled() or done.exception():
            self.lost.inc()
