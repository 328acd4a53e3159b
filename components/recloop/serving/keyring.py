"""The keys file: read again when it changes, and changed in one step."""

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recloop.errors import BadConfig
from recloop.serving.keys import SCOPES, Key, Keys, hashed


class KeyFile:
    """Keys of a file. A change of it counts from the next request on; one that cannot be read changes nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: dict[str, str] = {}
        self.seen = _mark(path)
        self.keys = Keys.load(path)

    @property
    def reasons(self) -> dict[str, str]:
        """What is wrong with the file since it was read; empty where nothing is."""
        return self.problems

    def find(self, secret: str) -> Key | None:
        """The key of a secret; None where it is unknown."""
        mark = _mark(self.path)
        if mark != self.seen:
            self._reload(mark)
        return self.keys.find(secret)

    def _reload(self, mark: tuple[int, ...]) -> None:
        self.seen = mark
        try:
            self.keys, self.problems = Keys.load(self.path), {}
        except BadConfig as error:
            self.problems = {"keys": f"{error} The keys read before still count."}


def add(path: Path, name: str, scopes: tuple[str, ...], *, per_minute: int | None = None, public: bool = False) -> str:
    """Add a key to the file and return its secret, which nothing keeps. Raises BadConfig: taken, or wrong scopes."""
    wrong = [scope for scope in scopes if scope not in SCOPES]
    if wrong or not scopes:
        raise BadConfig(f"The scopes are {', '.join(SCOPES)}; {', '.join(wrong) or 'nothing'} is none of them.")
    if public and "admin" in scopes:
        raise BadConfig(f"{name} stands in a web page for everybody to read: it cannot have the scope admin.")
    secret = secrets.token_urlsafe(32)
    with _changing(path) as held:
        if any(raw["name"] == name for raw in held):
            raise BadConfig(f"{path} has a key {name} already. Revoke it first, or add another name beside it.")
        held.append(hashed(name, secret, scopes, per_minute=per_minute, public=public))
    return secret


def revoke(path: Path, name: str) -> None:
    """Take a key out of the file. Raises BadConfig: there is none, or it is the last."""
    with _changing(path) as held:
        kept = [raw for raw in held if raw["name"] != name]
        if len(kept) == len(held):
            raise BadConfig(f"{path} has no key {name}; it has {', '.join(raw['name'] for raw in held) or 'none'}.")
        if not kept:
            raise BadConfig(f"{name} is the last key of {path}: a service without keys serves loopback only. Add one.")
        held[:] = kept


@contextmanager
def _changing(path: Path) -> Iterator[list[dict[str, Any]]]:
    """The file's content to be changed: one writer at a time, and a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = _content(path)
        yield held
        new = path.with_name(f".{path.name}.new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(held, indent=2) + "\n")
        new.replace(path)


def _content(path: Path) -> list[dict[str, Any]]:
    if not path.exists() or not path.read_text().strip():
        return []
    Keys.load(path)
    return list(json.loads(path.read_text()))


def _mark(path: Path) -> tuple[int, ...]:
    """What changes whenever the file is replaced; empty where there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
