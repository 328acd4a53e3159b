"""Take named members out of an archive, and nothing else: no path of the archive's own is ever written."""

import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from recloop.errors import BadData


def unpack(archive: Path, folder: Path, wanted: tuple[tuple[str, str], ...]) -> None:
    """Archive (zip, wheel, tar, tar.gz) -> folder/<name> for each (pattern of one member, name).

    Members are read as streams, and only plain files: links, devices and paths in the archive have no effect. Raises
    BadData where the file is no archive, a pattern fits no member or several, or a member is damaged.
    """
    try:
        with _open(archive) as (names, stream):
            for pattern, name in wanted:
                with stream(_member(names, pattern, archive)) as source:
                    _write(source, folder / name)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadData(f"{archive} is damaged: {error}. Delete it and fetch again.") from error


@contextmanager
def _open(archive: Path) -> Iterator[tuple[list[str], Callable[[str], IO[bytes]]]]:
    """Names of plain files, and a function that reads one."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            yield [info.filename for info in packed.infolist() if not info.is_dir()], packed.open
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed:
            plain = {info.name: info for info in packed if info.isreg()}
            yield list(plain), lambda name: _stream(packed, plain[name])
    else:
        raise BadData(
            f"{archive} is neither zip nor tar; a server may have sent a page instead. Delete it and fetch again."
        )


def _stream(packed: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    found = packed.extractfile(info)
    if found is None:
        raise BadData(f"{info.name} is no plain file.")
    return found


def _member(names: list[str], pattern: str, archive: Path) -> str:
    found = [name for name in names if fnmatchcase(name, pattern)]
    if len(found) != 1:
        raise BadData(
            f"{archive} has {len(found)} files that fit {pattern!r} where one is wanted; it holds "
            f"{', '.join(sorted(names)[:8]) or 'none'}. The publisher may have changed it."
        )
    return found[0]


def _write(source: IO[bytes], target: Path) -> None:
    part = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    part.replace(target)
