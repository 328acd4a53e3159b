"""Events that wait on this disk until the service has said what became of them."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
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

    Sent twice, it counts once, by its id. Several threads and processes may share the file. most: events it holds.
    """

    def __init__(self, path: Path, *, most: int = 100_000) -> None:
        self.path, self.most = path, most
        path.parent.mkdir(parents=True, exist_ok=True)
        self.door = threading.Lock()
        self.base = sqlite3.connect(path, check_same_thread=False, timeout=30)
        self.base.execute("PRAGMA journal_mode=WAL")
        self.base.execute("PRAGMA synchronous=FULL")
        self.base.executescript(TABLES)

    def put(self, events: Sequence[dict[str, Any]]) -> None:
        """Take events in, all or none; on disk when this returns. Raises Full."""
        rows = [(event["event_id"], json.dumps(event)) for event in events]
        with self.door, self.base:
            self.base.executemany("INSERT OR IGNORE INTO waiting (event_id, body) VALUES (?, ?)", rows)
            if self._waiting() > self.most:
                # the exception takes the insertion back
                raise Full(
                    f"{self.path} holds {self.most:,} events that the service has not taken; {len(rows):,} more were "
                    "refused. Flush it when the service answers, or give it more room (most)."
                )

    def oldest(self) -> list[dict[str, Any]]:
        """The events that wait longest, at most one request's."""
        with self.door, closing(self.base.execute("SELECT body FROM waiting ORDER BY place LIMIT ?", (BATCH,))) as rows:
            return [json.loads(body) for (body,) in rows]

    def settle(self, results: Iterable[Result]) -> None:
        """Let go of what the service has judged; what it rejected is kept aside with the reason."""
        done = list(results)
        rejected = [(result.reason, result.event_id) for result in done if result.status == "rejected"]
        with self.door, self.base:
            self.base.executemany(
                "INSERT OR REPLACE INTO rejected (event_id, body, reason) "
                "SELECT event_id, body, ? FROM waiting WHERE event_id = ?",
                rejected,
            )
            self.base.executemany("DELETE FROM waiting WHERE event_id = ?", [(result.event_id,) for result in done])

    def rejected(self) -> list[tuple[dict[str, Any], str]]:
        """Events that the service would not take, with its reasons."""
        with self.door, closing(self.base.execute("SELECT body, reason FROM rejected ORDER BY event_id")) as rows:
            return [(json.loads(body), reason) for body, reason in rows]

    def close(self) -> None:
        """Close the file."""
        self.base.close()

    def __len__(self) -> int:
        """Events that wait."""
        with self.door:
            return self._waiting()

    def _waiting(self) -> int:
        (count,) = self.base.execute("SELECT count(*) FROM waiting").fetchone()
        return int(count)
