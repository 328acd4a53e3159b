"""Events that wait on this disk until the service has said what became of them."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recloop.client.calls import BATCH
from recloop.client.replies import Result
from recloop.errors import Unavailable

TABLES = """
CREATE TABLE IF NOT EXISTS waiting (place INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE, body TEXT);
CREATE TABLE IF NOT EXISTS rejected (event_id TEXT PRIMARY KEY, body TEXT, reason TEXT);
"""


class Full(Unavailable):
    """The outbox holds as many events as it may."""


class Outbox:
    """A file of SQLite. An event enters before it is sent and leaves when it is settled: a crash in between loses nothing.

    Sent twice, it counts once, by its id. Several threads and processes may share the file. most: events that may wait,
    and rejected ones that are kept. Every use raises Unavailable where the disk or the file fails.
    """

    def __init__(self, path: Path, *, most: int = 100_000) -> None:
        self.path, self.most = path, most
        path.parent.mkdir(parents=True, exist_ok=True)
        self.door = threading.Lock()
        # what users did is nobody else's to read
        path.touch(mode=0o600)
        self.base = sqlite3.connect(path, check_same_thread=False, timeout=30)
        try:
            self._prepare()
        except Unavailable:
            self.close()
            raise

    def put(self, events: Sequence[dict[str, Any]]) -> None:
        """Take events in, all or none; on disk when this returns. Raises Full."""
        rows = [(event["event_id"], json.dumps(event)) for event in events]
        with self._held():
            self.base.executemany("INSERT OR IGNORE INTO waiting (event_id, body) VALUES (?, ?)", rows)
            if self._waiting() > self.most:
                # the exception takes the insertion back
                raise Full(
                    f"{self.path} holds {self.most:,} events that the service has not taken; {len(rows):,} more were "
                    "refused. Flush it when the service answers, or give it more room (most)."
                )

    def oldest(self) -> list[dict[str, Any]]:
        """The events that wait longest, at most one request's."""
        with self._held():
            rows = self.base.execute("SELECT body FROM waiting ORDER BY place LIMIT ?", (BATCH,)).fetchall()
        return [json.loads(body) for (body,) in rows]

    def settle(self, results: Iterable[Result]) -> None:
        """Let go of what the service has judged; what it rejected is kept aside with the reason."""
        done = list(results)
        rejected = [(result.reason, result.event_id) for result in done if result.status == "rejected"]
        with self._held():
            self.base.executemany(
                "INSERT OR REPLACE INTO rejected (event_id, body, reason) "
                "SELECT event_id, body, ? FROM waiting WHERE event_id = ?",
                rejected,
            )
            self.base.executemany("DELETE FROM waiting WHERE event_id = ?", [(result.event_id,) for result in done])
            newest = "SELECT rowid FROM rejected ORDER BY rowid DESC LIMIT ?"
            self.base.execute(f"DELETE FROM rejected WHERE rowid NOT IN ({newest})", (self.most,))

    def rejected(self) -> list[tuple[dict[str, Any], str]]:
        """The newest events that the service would not take, oldest first, with its reasons."""
        with self._held():
            rows = self.base.execute("SELECT body, reason FROM rejected ORDER BY rowid").fetchall()
        return [(json.loads(body), reason) for body, reason in rows]

    def close(self) -> None:
        """Close the file, once nobody uses it."""
        with self.door:
            self.base.close()

    def __len__(self) -> int:
        """Events that wait."""
        with self._held():
            return self._waiting()

    def _prepare(self) -> None:
        with self._held():
            self.base.execute("PRAGMA journal_mode=WAL")
            self.base.execute("PRAGMA synchronous=FULL")
            self.base.executescript(TABLES)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """One thread at a time, all of it or nothing. Raises Unavailable."""
        with self.door:
            try:
                with self.base:
                    yield
            except sqlite3.Error as error:
                raise Unavailable(
                    f"The outbox {self.path} cannot be used: {error}. Look whether its disk is full, whether another program "
                    "holds it, and whether it is an outbox."
                ) from error

    def _waiting(self) -> int:
        (count,) = self.base.execute("SELECT count(*) FROM waiting").fetchone()
        return int(count)
