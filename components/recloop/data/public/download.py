"""One file from an HTTP server or a folder: resumed after a break, checked, and renamed into place when whole."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_base

from recloop.errors import BadData, Unavailable

ATTEMPTS = 10
GONE = (404, 410)
BUSY = (408, 425, 429)


class _Broken(Exception):
    """An attempt that another may mend."""


def copied(source: Path, target: Path, *, digest: str | None = None) -> bool:
    """File -> target, whole or not at all; False where there is no such file. Raises BadData where its digest differs."""
    if not source.is_file():
        return False
    with _disk(target):
        part = _part(target)
        shutil.copyfile(source, part)
        _finish(part, target, digest, str(source))
    return True


def downloaded(
    url: str,
    target: Path,
    *,
    client: httpx.Client,
    wait: wait_base,
    progress: Callable[[str, float], None],
    size: int | None = None,
    digest: str | None = None,
) -> bool:
    """URL -> target; False where the server has no such file.

    What a broken attempt left in <target>.part is gone on with (Range, If-Range), also by a later process. digest is
    md5:... or sha256:.... Raises BadData (refused; size or digest differs), Unavailable (no whole answer in ten attempts).
    """
    piece = _Piece(url, target, client, progress)
    retrying = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait,
        retry=retry_if_exception_type((_Broken, httpx.TransportError)),
        reraise=True,
    )
    try:
        with _disk(target):
            if not retrying(piece.attempt):
                return False
            found = piece.part.stat().st_size
            if size not in {None, found}:
                piece.forget()
                raise BadData(
                    f"{url} has {found:,} bytes, and {size:,} were published. See whether a new version came."
                )
            _finish(piece.part, target, digest, url)
    except (_Broken, httpx.TransportError) as error:
        raise Unavailable(
            f"{url} broke off {ATTEMPTS} times: {error}. What came is kept; run the same command to go on."
        ) from error
    piece.mark.unlink(missing_ok=True)
    return True


@dataclass
class _Piece:
    """The part of a file that is here, and the server's mark of the version that it is of."""

    url: str
    target: Path
    client: httpx.Client
    progress: Callable[[str, float], None]

    @property
    def part(self) -> Path:
        return _part(self.target)

    @property
    def mark(self) -> Path:
        return self.target.with_name(self.target.name + ".mark")

    def attempt(self) -> bool:
        """Ask for the rest and append it. False where the server has no such file."""
        here = self.part.stat().st_size if self.part.exists() else 0
        mark = self.mark.read_text() if self.mark.exists() else ""
        # without a mark of its version the rest might be that of another file
        resume = {"Range": f"bytes={here}-", "If-Range": mark} if here and mark else {}
        with self.client.stream(
            "GET", self.url, headers={"Accept-Encoding": "identity", **resume}, follow_redirects=True
        ) as answer:
            if answer.status_code in GONE:
                return False
            self._judge(answer)
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return self._already_whole(answer, here)
            self._take(answer, self._start(answer, here if resume else 0))
        return True

    def forget(self) -> None:
        """Drop what is here."""
        self.part.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)

    def _judge(self, answer: httpx.Response) -> None:
        code = answer.status_code
        if code >= 500 or code in BUSY:
            raise _Broken(f"the server answered {code}")
        if code >= 400 and code != httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise BadData(f"{self.url} is refused ({code}). It may need a login: see the set's page.")

    def _already_whole(self, answer: httpx.Response, here: int) -> bool:
        if answer.headers.get("Content-Range", "").endswith(f"/{here}"):
            return True
        self.forget()
        raise _Broken("the part that was here is of another file")

    def _start(self, answer: httpx.Response, asked: int) -> int:
        """Where the answer's first byte belongs."""
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            return 0
        place = answer.headers.get("Content-Range", "")
        if not place.startswith(f"bytes {asked}-"):
            self.forget()
            raise _Broken(f"the server sent {place or 'some range'} where the bytes from {asked} on were asked")
        return asked

    def _take(self, answer: httpx.Response, start: int) -> None:
        length = answer.headers.get("Content-Length")
        total = None if length is None else start + int(length)
        tag = answer.headers.get("ETag", "")
        if not start:
            # before the new mark is there: bytes of another version beside it would be gone on with
            self.part.unlink(missing_ok=True)
        # a weak tag does not promise the same bytes
        self.mark.write_text(answer.headers.get("Last-Modified", "") if tag.startswith("W/") or not tag else tag)
        done = start
        with self.part.open("r+b" if start else "wb") as file:
            file.seek(start)
            # as it comes: a chunk of a size of ours would be lost where the connection breaks within it
            for chunk in answer.iter_raw():
                file.write(chunk)
                done += len(chunk)
                self.progress(f"{self.target.name}: {done / 1e6:,.1f} MB", done / total if total else 0.0)


def _part(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(target.name + ".part")


def fits(path: Path, digest: str | None) -> bool:
    """Whether the file is there and has this md5:... or sha256:...; None: nobody states one."""
    return path.is_file() and (digest is None or _digest(path, digest.split(":", 1)[0]) == digest)


def _digest(path: Path, kind: str) -> str:
    with path.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, kind).hexdigest()}"


def verify(path: Path, digest: str, source: str) -> None:
    """Raise BadData and drop the file where its digest is not this md5:... or sha256:...."""
    found = _digest(path, digest.split(":", 1)[0])
    if found != digest:
        path.unlink()
        raise BadData(
            f"{source} has {found}, and {digest} was published: it is another version, or damaged. Try again; "
            "if it stays so, do not use it."
        )


def _finish(part: Path, target: Path, digest: str | None, source: str) -> None:
    """Check the digest, make the bytes last, and rename."""
    if digest is not None:
        verify(part, digest, source)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)


@contextmanager
def _disk(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Unavailable(f"The disk of {target.parent} is full. Make room and run the same command.") from error
        raise
