"""The journal: append-only, checksummed, acknowledged after one fdatasync that many callers share.

`active.log` grows; sealing renames it to `segment-<first>-<last>-<hash>.log` (numbers of its records, start of its
sha256), which never changes again. Events are idempotent by event id over the last `WINDOW` ids. One thread owns the
files and the ids; everybody else talks to it through a queue.
"""

import hashlib
import os
import queue
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from recloop.errors import Unavailable
from recloop.serving.active import Active
from recloop.serving.journal_files import locked, make
from recloop.serving.segment import Record, cut_torn, encode, read_segment

__all__ = ["Journal", "Record", "read_segment"]

WINDOW = 1_000_000
BEHIND, BUFFER = 10_000, 64_000_000
"""callers, and bytes of their records, that may wait for the disk"""
ACTIVE = "active.log"
SEALED = re.compile(r"segment-(\d+)-(\d+)-[0-9a-f]+")


@dataclass(frozen=True)
class Append:
    """Records of one caller, and what tells it that they are safe."""

    ids: list[str | None]
    bodies: list[bytes]
    size: int
    """bytes"""
    done: "Future[list[bool]]" = field(default_factory=Future)


@dataclass(frozen=True)
class Seal:
    """A wish to close the active segment."""

    done: "Future[Path | None]" = field(default_factory=Future)


class Stop:
    """The wish to end."""


class Full(Unavailable):
    """More waits for the disk than may."""


class Journal:
    """One folder, one writer. `append` and `seal` may be called from any thread."""

    def __init__(self, folder: Path, *, window: int = WINDOW) -> None:
        """Open or go on. Raises Busy where another process has it open, BadArtifact where it is damaged."""
        self.folder, self.window = folder, window
        self.reasons: dict[str, str] = {}
        make(folder)
        self.lock = locked(folder)
        try:
            self._restore(folder / ACTIVE)
        except BaseException:
            os.close(self.lock)
            raise
        self.waiting: queue.SimpleQueue[Append | Seal | Stop] = queue.SimpleQueue()
        self.door, self.closed, self.buffered = threading.Lock(), False, 0
        self.writer = threading.Thread(target=self._run, name="journal", daemon=True)
        self.writer.start()

    def append(self, records: list[Record]) -> "Future[list[bool]]":
        """Records -> a future that ends when all are on disk: which are fresh (False: its event id was seen before).

        The future raises Unavailable where the disk refused them; they may be sent again. Raises Full at once where more
        than BEHIND callers or BUFFER bytes wait, Unavailable where the journal is closed.
        """
        if self.waiting.qsize() > BEHIND or self.buffered > BUFFER:
            raise Full(f"{self.buffered:,} bytes wait for the disk of {self.folder}. Send again later.")
        bodies = [encode(record) for record in records]
        wish = Append([record.get("event_id") for record in records], bodies, sum(map(len, bodies)))
        self._ask(wish)
        return wish.done

    def knows(self, event_id: str) -> bool:
        """Whether the event was taken in before, as far as the window reaches."""
        return event_id in self.seen

    def seal(self) -> Path | None:
        """Close the active segment under its final name; None where it is empty. Raises Unavailable."""
        wish = Seal()
        self._ask(wish)
        return wish.done.result()

    def segments(self) -> list[Path]:
        """Sealed segments, oldest first."""
        return sorted(path for path in self.folder.glob("segment-*.log") if SEALED.fullmatch(path.stem))

    def replay(self) -> Iterable[Record]:
        """Every record, oldest first. Raises BadArtifact naming file and offset of a damaged one."""
        for path in [*self.segments(), self.folder / ACTIVE]:
            yield from read_segment(path)

    def close(self) -> None:
        """Write what waits, then stop; what comes later is refused."""
        with self.door:
            if self.closed:
                return
            self.closed = True
            self.waiting.put(Stop())
        self.writer.join()
        self.active.close()
        os.close(self.lock)

    def _ask(self, wish: Append | Seal) -> None:
        # behind a Stop nobody would answer
        with self.door:
            if self.closed:
                raise Unavailable(f"The journal in {self.folder} is closed. Send again when the service is back.")
            if isinstance(wish, Append):
                self.buffered += wish.size
            self.waiting.put(wish)

    def _restore(self, active: Path) -> None:
        self.torn = cut_torn(active) if active.exists() else None
        """where the bytes lie that a killed writer left half-written"""
        newest = read_segment(active) if active.exists() else []
        self.records = len(newest)
        """in the active segment"""
        self.seen = self._last_ids(newest)
        self.active = Active(active)

    def _run(self) -> None:
        going = True
        while going:
            group, then, taken = self._gather()
            with self.door:
                self.buffered -= taken
            if group:
                self._commit(group)
            if isinstance(then, Seal) and then.done.set_running_or_notify_cancel():
                self._answer_seal(then)
            going = not isinstance(then, Stop)

    def _gather(self) -> tuple[list[Append], Seal | Stop | None, int]:
        """All appends that wait, up to the first other wish, and the bytes that wait no more."""
        group: list[Append] = []
        taken = 0
        wish: Append | Seal | Stop | None = self.waiting.get()
        while isinstance(wish, Append):
            taken += wish.size
            # from here on the caller can no longer take it back
            if wish.done.set_running_or_notify_cancel():
                group.append(wish)
            try:
                wish = self.waiting.get_nowait()
            except queue.Empty:
                wish = None
        return group, wish, taken

    def _commit(self, group: list[Append]) -> None:
        """Write the group's fresh records with one fdatasync; all of them, or none."""
        fresh = [[self._remember(name) for name in wish.ids] for wish in group]
        kept = [
            body
            for wish, news in zip(group, fresh, strict=True)
            for body, new in zip(wish.bodies, news, strict=True)
            if new
        ]
        try:
            if kept:
                self.active.append(b"".join(kept))
        except OSError as error:
            self._refuse(group, fresh, error)
            return
        self.reasons.pop("journal", None)
        self.records += len(kept)
        for wish, news in zip(group, fresh, strict=True):
            wish.done.set_result(news)

    def _refuse(self, group: list[Append], fresh: list[list[bool]], error: OSError) -> None:
        reason = f"The journal in {self.folder} cannot be written: {error}. Free space or mend the disk, send again."
        self.reasons["journal"] = reason
        for wish, news in zip(group, fresh, strict=True):
            for name, new in zip(wish.ids, news, strict=True):
                if new and name is not None:
                    self.seen.pop(name, None)
            wish.done.set_exception(Unavailable(reason))

    def _answer_seal(self, wish: Seal) -> None:
        try:
            wish.done.set_result(self._seal())
        except OSError as error:
            wish.done.set_exception(Unavailable(f"The journal in {self.folder} cannot be sealed: {error}."))

    def _seal(self) -> Path | None:
        if not self.records:
            return None
        self.active.mend()
        with (self.folder / ACTIVE).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()[:12]
        before = _last(self.segments())
        sealed = self.folder / f"segment-{before + 1:012d}-{before + self.records:012d}-{digest}.log"
        self.active.seal(sealed)
        self.records = 0
        return sealed

    def _remember(self, name: str | None) -> bool:
        """Whether the id is new; records without one always are."""
        if name is None:
            return True
        if name in self.seen:
            return False
        self.seen[name] = None
        if len(self.seen) > self.window:
            self.seen.popitem(last=False)
        return True

    def _last_ids(self, records: list[Record]) -> OrderedDict[str, None]:
        """The window's ids, oldest first: of these newest records, and of segments as far back as it takes."""
        older = reversed(self.segments())
        newest: list[str] = []
        while True:
            newest += [record["event_id"] for record in reversed(records) if record.get("event_id")]
            path = next(older, None)
            if path is None or len(newest) >= self.window:
                return OrderedDict.fromkeys(reversed(newest[: self.window]))
            records = read_segment(path)


def _last(segments: list[Path]) -> int:
    """Number of the last record that is sealed."""
    found = SEALED.fullmatch(segments[-1].stem) if segments else None
    return int(found[2]) if found else 0
