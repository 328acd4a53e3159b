"""Sealed segments go to the store, each once; what is down is tried again and stays on disk meanwhile."""

import threading
from collections.abc import Callable
from pathlib import Path

from recloop.errors import Unavailable
from recloop.serving.journal import Journal

LONGEST = 60.0
"""seconds between two tries while the store is down"""


class Shipper:
    """Seals by size and age, and hands each sealed segment to `ship`, which is safe to call twice.

    clock: seconds that only grow. prune: called after all was shipped. pause: seconds between looks; it doubles up to
    LONGEST while something fails.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        ship: Callable[[Path], None],
        clock: Callable[[], float],
        max_events: int,
        max_seconds: float,
        pause: float = 1.0,
        prune: Callable[[], object] = lambda: None,
    ) -> None:
        self.journal, self.ship, self.clock, self.prune = journal, ship, clock, prune
        self.max_events, self.max_seconds, self.pause = max_events, max_seconds, pause
        self.reasons: dict[str, str] = {}
        self.sealed_at = clock()
        self.signal = threading.Event()
        self.stopped = False
        self.thread = threading.Thread(target=self._run, name="shipper", daemon=True)

    def start(self) -> None:
        """Begin in a thread."""
        self.thread.start()

    def stop(self) -> None:
        """End the thread; what is not shipped is found again at the next start."""
        self.stopped = True
        self.signal.set()
        self.thread.join()

    def wake(self) -> None:
        """Ship now."""
        self.signal.set()

    def waiting(self) -> int:
        """Sealed segments that are not in the store yet."""
        return sum(not mark(path).exists() for path in self.journal.segments())

    def look(self) -> bool:
        """Seal where it is due, ship what waits, oldest first -> whether all went well; `reasons` tells what did not."""
        try:
            self._seal()
            self._ship()
            self.prune()
        except Exception as error:
            # the store may be down for hours; segments wait on disk and /health tells
            self.reasons["journal_store"] = f"{self.waiting()} sealed segments wait for the store: {error}"
            return False
        self.reasons.pop("journal_store", None)
        return True

    def _seal(self) -> None:
        now = self.clock()
        if self.journal.records >= self.max_events or now - self.sealed_at > self.max_seconds:
            self.journal.seal()
            self.sealed_at = now

    def _ship(self) -> None:
        """One segment that cannot be shipped does not keep the others back, unless the store is down."""
        failed: Exception | None = None
        for path in self.journal.segments():
            if mark(path).exists():
                continue
            try:
                self.ship(path)
                mark(path).touch()
            except Unavailable:
                raise
            except Exception as error:
                failed = failed or error
        if failed:
            raise failed

    def _run(self) -> None:
        pause = self.pause
        while not self.stopped:
            self.signal.wait(pause)
            self.signal.clear()
            pause = self.pause if self.look() else min(2 * pause, LONGEST)


def mark(segment: Path) -> Path:
    """The file beside a segment that is in the store."""
    return segment.with_suffix(".shipped")
