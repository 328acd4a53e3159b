"""The segment that grows: what was appended is on disk, and a sync that failed is never taken for one that went well.

After a failed fsync the kernel may have dropped what it could not write and call its pages clean; the next fsync then
says nothing (Rebello et al. 2020, "Can applications recover from fsync failures?"). So what was safe before is copied to
a new file, which takes the old one's place, before anything else is acknowledged.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

from recloop.serving.journal_files import opened, sync
from recloop.serving.segment import sound_end

NEXT = "next.log"


class Active:
    """One file, one thread. Where a method raises OSError, nothing of what it was given stays; the next call mends."""

    def __init__(self, path: Path) -> None:
        """Open or go on. A killed writer's last records are read from here on, so they are made safe first."""
        self.path = path
        self.file = opened(path)
        os.fdatasync(self.file)
        sync(path.parent)
        self.size = os.fstat(self.file).st_size
        """bytes that are safe"""
        self.whole, self.doubted = True, False
        """whether the file ends with them, and whether a sync of it or of its name failed"""
        self.strayed: Path | None = None
        """the name that a seal which failed may have left it with"""

    def append(self, data: bytes) -> None:
        """Bytes -> on disk."""
        self.mend()
        self.whole = False
        try:
            _write(self.file, data)
            self._sync()
        except OSError:
            with suppress(OSError):  # the next call tries again
                self.mend()
            raise
        self.size += len(data)
        self.whole = True

    def seal(self, name: Path) -> None:
        """Give the file, which was mended, its final name and go on in an empty one."""
        file = opened(self.path.with_name(NEXT), empty=True)
        try:
            self._rename(name)
        except OSError:
            os.close(file)
            # what is open stays the active segment, or it would grow under a sealed name
            self.strayed, self.doubted = name, True
            with suppress(OSError):
                self.mend()
            raise
        self._go_on(file, 0)

    def mend(self) -> None:
        """Undo what a failure left: the name, the file that is not trusted, the bytes that nobody was promised."""
        if self.strayed:
            if self.strayed.exists():
                self.strayed.rename(self.path)
            # or a copy could be safe beside it, and every record be there twice
            sync(self.path.parent)
            self.strayed = None
        if self.doubted:
            self._renew()
        elif not self.whole:
            os.ftruncate(self.file, self.size)
        self.whole = True

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.file)

    def _rename(self, name: Path) -> None:
        self.path.rename(name)
        # the new file may not have the old one's name before the old one has its own
        sync(self.path.parent)
        self.path.with_name(NEXT).rename(self.path)
        sync(self.path.parent)

    def _sync(self) -> None:
        try:
            os.fdatasync(self.file)
        except OSError:
            self.doubted = True
            raise

    def _renew(self) -> None:
        """Copy the safe bytes to a new file in the old one's place."""
        data = self.path.read_bytes()[: self.size]
        if sound_end(data) != self.size:
            raise OSError(errno.EIO, f"{self.size:,} bytes were safe, {sound_end(data):,} can be read", str(self.path))
        after = self.path.with_name(NEXT)
        file = opened(after, empty=True)
        try:
            _write(file, data)
            os.fdatasync(file)
            after.rename(self.path)
        except OSError:
            os.close(file)
            raise
        self._go_on(file, self.size)
        sync(self.path.parent)
        self.doubted = False

    def _go_on(self, file: int, size: int) -> None:
        old, self.file, self.size = self.file, file, size
        os.close(old)


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
