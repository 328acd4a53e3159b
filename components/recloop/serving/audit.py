"""The audit log: who changed what and when, append-only, each line bound to the one before it."""

import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from recloop.errors import BadData

START = "0" * 64
"""what the first line is bound to"""
BLOCK = 1 << 16
"""bytes of the end that are read for the last line"""


class Audit:
    """JSON lines of one file: {time, who, what, detail, sha256}. Several processes may write.

    sha256: of the line before and this one, so that a line changed or taken out later shows, unless it was the last: keep the
    newest hash elsewhere to see that too.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, *, who: str, what: str, detail: dict[str, Any], now: float) -> None:
        """Append one line, on disk when this returns. now: seconds since the epoch."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            before, torn = _newest(self.path)
            entry = {"time": round(now, 3), "who": who, "what": what, "detail": detail}
            sealed = entry | {"sha256": _bound(before, entry)}
            file.write(torn + json.dumps(sealed, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def lines(self) -> list[dict[str, Any]]:
        """Every line, oldest first. Raises BadData where one does not fit the one before it."""
        found: list[dict[str, Any]] = []
        before = START
        for n, line in enumerate(self.path.read_bytes().splitlines() if self.path.exists() else [], start=1):
            before = _checked(line, before, f"{self.path}, line {n}")
            found.append(json.loads(line))
        return found


def _checked(line: bytes, before: str, place: str) -> str:
    """A line's hash. Raises BadData."""
    try:
        entry = json.loads(line)
        sealed = entry.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadData(f"{place} is no line of an audit log ({error}): it was written by something else.") from error
    if sealed != _bound(before, entry):
        raise BadData(f"{place} does not fit the line before it: one of them was changed or taken out.")
    return str(sealed)


def _bound(before: str, entry: dict[str, Any]) -> str:
    return hashlib.sha256(before.encode() + json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _newest(path: Path) -> tuple[str, bytes]:
    """The hash of the newest line, and what ends a line that a crash cut short: `lines` will show it."""
    content = _tail(path)
    torn = b"" if not content or content.endswith(b"\n") else b"\n"
    try:
        return str(json.loads(content.splitlines()[-1])["sha256"]), torn
    except (ValueError, IndexError, KeyError, TypeError):
        return START, torn


def _tail(path: Path) -> bytes:
    """The end of a file that holds its whole last line: a log of years costs an append no more than a new one."""
    with path.open("rb") as file:
        size, step = file.seek(0, os.SEEK_END), BLOCK
        while True:
            start = max(0, size - step)
            file.seek(start)
            content = file.read()
            if start == 0 or b"\n" in content[:-1]:
                return content
            step *= 4
