"""Take named members out of an archive, and nothing else: no path of the archive's own is ever written."""

import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from recloop.data.public.download import verify
from recloop.errors import BadData

LIMIT = 64 << 30
"""bytes that one member may unpack to"""
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)


def unpack(
    archive: Path, folder: Path, wanted: tuple[tuple[str, str], ...], *, digests: Mapping[str, str] | None = None
) -> None:
    """Archive (zip, wheel, tar, tar.gz) -> folder/<name> for each (pattern of one member, name).

    Members are read as streams, and only plain files: links, devices and paths in the archive have no effect. Raises
    BadData where the file is no archive, a pattern fits no member or several, or a member is damaged, encrypted, larger
    than LIMIT, or has another digest than digests states for its name: it has no name then.
    """
    known = digests or {}
    try:
        with _open(archive) as (members, stream):
            for pattern, name in wanted:
                member, size = _member(members, pattern, archive)
                with stream(member) as source:
                    _write(source, folder / name, size, known.get(name), f"{member} of {archive}")
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadData(f"{archive} is damaged: {error}. Fetch it again.") from error
    except RuntimeError as error:
        # zipfile's word for a password, and for a compression that it does not know (NotImplementedError)
        names = " and ".join(name for _, name in wanted)
        raise BadData(
            f"{archive} cannot be read: {error}. Download and unpack it by hand, and put {names} into {folder}."
        ) from error


@contextmanager
def _open(archive: Path) -> Iterator[tuple[list[tuple[str, int]], Callable[[str], IO[bytes]]]]:
    """Names and sizes of plain files, and a function that reads one."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            yield [(info.filename, info.file_size) for info in packed.infolist() if not info.is_dir()], packed.open
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed:
            plain = {info.name: info for info in packed if info.isreg()}
            yield [(info.name, info.size) for info in plain.values()], lambda name: _stream(packed, plain[name])
    else:
        raise BadData(f"{archive} is neither zip nor tar; a server may have sent a page instead. Fetch it again.")


def _stream(packed: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    found = packed.extractfile(info)
    if found is None:
        raise BadData(f"{info.name} is no plain file.")
    return found


def _member(members: list[tuple[str, int]], pattern: str, archive: Path) -> tuple[str, int]:
    """Name and size of the one that fits."""
    found = [member for member in members if fnmatchcase(member[0], pattern)]
    if len(found) != 1:
        raise BadData(
            f"{archive} has {len(found)} files that fit {pattern!r} where one is wanted; it holds "
            f"{', '.join(sorted(name for name, _ in members)[:8]) or 'none'}. The publisher may have changed it."
        )
    name, size = found[0]
    if size > LIMIT:
        raise BadData(
            f"{name} of {archive} unpacks to {size:,} bytes, and at most {LIMIT:,} are taken. If that is meant, download and "
            "unpack it by hand."
        )
    return name, size


def _write(source: IO[bytes], target: Path, size: int, digest: str | None, origin: str) -> None:
    part = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        # zipfile and tarfile give no byte beyond the stated size, but may give fewer
        shutil.copyfileobj(source, file, 1 << 20)
        found = file.tell()
    if found != size:
        part.unlink()
        raise BadData(f"{origin} has {found:,} bytes where it states {size:,}: it is damaged. Fetch it again.")
    if digest is not None:
        verify(part, digest, origin)
    part.replace(target)
