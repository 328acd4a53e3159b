"""Appends to the journal of one turn of the server's loop, as one: threads talk once, however many callers there are."""

import asyncio
from concurrent.futures import Future

from recloop.serving.journal import Journal, Record

Waiting = tuple[list[Record], "asyncio.Future[list[bool]]"]
"""records of one caller, and what tells it that they are safe"""


class Together:
    """The journal as the server's loop writes it."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.waiting: list[Waiting] = []

    def append(self, records: list[Record]) -> "asyncio.Future[list[bool]]":
        """As Journal.append says; whatever it raises, the future does."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[bool]] = loop.create_future()
        if not self.waiting:
            loop.call_soon(self._flush, loop)
        self.waiting.append((records, done))
        return done

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self.waiting = self.waiting, []
        try:
            work = self.journal.append([record for records, _ in group for record in records])
        except Exception as error:
            # whatever it is, nobody may wait for ever
            _refuse(group, error)
            return
        work.add_done_callback(lambda done: loop.call_soon_threadsafe(_settle, group, done))


def _settle(group: list[Waiting], work: "Future[list[bool]]") -> None:
    """Tell each caller which of its records are new."""
    error = work.exception()
    if error:
        _refuse(group, error)
        return
    fresh, start = work.result(), 0
    for records, done in group:
        if not done.done():
            done.set_result(fresh[start : start + len(records)])
        start += len(records)


def _refuse(group: list[Waiting], error: BaseException) -> None:
    for _, done in group:
        if not done.done():
            done.set_exception(error)
