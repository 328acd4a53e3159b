"""Sealed segments leave this machine when the store has them and nothing here needs them any more."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recloop.serving.journal import Journal
from recloop.serving.segment import read_segment
from recloop.serving.shipping import mark


@dataclass(frozen=True)
class Held:
    """What a sealed segment holds."""

    ids: int
    """events with an id"""
    newest: float
    """moment of its newest event, seconds since the epoch; 0 where it holds none"""


class Pruning:
    """Removes old segments, oldest first; the first that is still needed ends it.

    end: moment up to which the serving release holds all events; None where nothing serves. clock: seconds since the
    epoch. keep: seconds that a segment stays after it was shipped. A segment also stays while the release lacks one of its
    events, and while the journal needs its event ids to tell duplicates: so the newest always does.
    """

    def __init__(
        self, journal: Journal, *, end: Callable[[], int | None], clock: Callable[[], float], keep: float
    ) -> None:
        self.journal, self.end, self.clock, self.keep = journal, end, clock, keep
        self.held: dict[str, Held] = {}

    def look(self) -> list[Path]:
        """Remove what may go -> the removed, oldest first."""
        segments = self.journal.segments()
        gone = []
        for n, path in enumerate(segments):
            if not self._old(path) or not self._spare(path, segments[n + 1 :]):
                break
            path.unlink()
            # the mark goes last: without it a segment that came back would be shipped again, which is harmless
            mark(path).unlink()
            gone.append(path)
        return gone

    def _old(self, path: Path) -> bool:
        try:
            return self.clock() - mark(path).stat().st_mtime > self.keep
        except FileNotFoundError:
            return False

    def _spare(self, path: Path, later: list[Path]) -> bool:
        """Whether the release has its events, and the later segments hold a whole window of ids."""
        end = self.end()
        if end is None or self._held(path).newest >= end:
            return False
        ids = 0
        for one in reversed(later):
            ids += self._held(one).ids
            if ids >= self.journal.window:
                return True
        return False

    def _held(self, path: Path) -> Held:
        """Read once: a sealed segment never changes."""
        if path.name not in self.held:
            events = [record for record in read_segment(path) if record.get("event_id")]
            newest = max((float(record.get("time") or 0) for record in events), default=0.0)
            self.held[path.name] = Held(len(events), newest)
        return self.held[path.name]
