"""Answers on their way to the journal: nobody waits for the disk."""

import asyncio
from concurrent.futures import Future
from typing import Any

from prometheus_client import Counter

from recloop.errors import Unavailable
from recloop.serving.journal import Journal


class Notes:
    """Journals answers; those of one turn of the server's loop in one append.

    A full disk costs the records, which `lost` counts; it stops no shopper.
    """

    def __init__(self, journal: Journal, lost: Counter) -> None:
        self.journal, self.lost = journal, lost
        self.records: list[dict[str, Any]] = []

    def add(self, record: dict[str, Any]) -> None:
        """Journal a record before the loop's next turn ends."""
        if not self.records:
            asyncio.get_running_loop().call_soon(self._flush)
        self.records.append(record)

    def _flush(self) -> None:
        records, self.records = self.records, []

        def settled(done: "Future[list[bool]]") -> None:
            if done.exception():
                self.lost.inc(len(records))

        try:
            self.journal.append(records).add_done_callback(settled)
        except Unavailable:
            self.lost.inc(len(records))
