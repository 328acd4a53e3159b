"""The bytes of a journal: records with a length and a checksum, read back without trusting the disk.

A record is 4 bytes of length, 4 bytes of CRC-32 (both little-endian) and a JSON object.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from recloop.errors import BadArtifact

HEAD = struct.Struct("<II")
OPENS = b'{"'
"""how every record's JSON begins"""
Record = dict[str, Any]


def encode(record: Record) -> bytes:
    """Record -> its bytes."""
    body = orjson.dumps(record)
    return HEAD.pack(len(body), zlib.crc32(body)) + body


def read_segment(path: Path) -> list[Record]:
    """Segment -> records. Raises BadArtifact naming file and offset where one is damaged."""
    data = path.read_bytes()
    found, end = [], 0
    for start, end in _sound(data):
        found.append(orjson.loads(memoryview(data)[start + HEAD.size : end]))
    if end < len(data):
        raise _damaged(path, data, end)
    return found


def cut_torn(path: Path) -> Path | None:
    """Cut what a killed writer left half-written off a segment's end, and keep it aside -> where, or None.

    Raises BadArtifact, and cuts nothing, where a sound record follows a damaged one: that is no torn end.
    """
    data = path.read_bytes()
    end = sound_end(data)
    if end == len(data):
        return None
    if _next_sound(data, end) is not None:
        raise _damaged(path, data, end)
    aside = _aside(path, "torn", end, data[end:])
    with path.open("r+b") as stream:
        stream.truncate(end)
        os.fsync(stream.fileno())
    return aside


def salvage(path: Path) -> list[Path]:
    """Take the damaged stretches out of a segment, and keep each aside -> where. The sound records stay, in order.

    Raises BadArtifact where no record is sound: it is another file.
    """
    data = path.read_bytes()
    if data and _next_sound(data, -1) is None:
        raise BadArtifact(f"{path} holds no record of a journal; it was left as it is.")
    kept, aside, at = [], [], 0
    while at < len(data):
        end = at + sound_end(data[at:])
        kept.append(data[at:end])
        after = _next_sound(data, end) or len(data)
        if end < len(data):
            aside.append(_aside(path, "damaged", end, data[end:after]))
        at = after
    part = path.with_suffix(".part")
    with part.open("wb") as stream:
        stream.write(b"".join(kept))
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    return aside


def sound_end(data: bytes) -> int:
    """Where the first record that is not sound begins; the length where all are."""
    return max((end for _, end in _sound(data)), default=0)


def _sound(data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each record, up to the first that is not sound."""
    view, at, total = memoryview(data), 0, len(data)
    while at + HEAD.size < total:
        length, check = HEAD.unpack_from(view, at)
        end = at + HEAD.size + length
        # disks fill lost blocks with zeros, and the CRC-32 of nothing is zero
        if not length or end > total or zlib.crc32(view[at + HEAD.size : end]) != check:
            return
        yield at, end
        at = end


def _next_sound(data: bytes, bad: int) -> int | None:
    """Start of the first sound record behind a damaged one."""
    brace = data.find(OPENS, bad + HEAD.size + 1)
    while brace >= 0:
        start = brace - HEAD.size
        length, check = HEAD.unpack_from(data, start)
        if brace + length <= len(data) and zlib.crc32(memoryview(data)[brace : brace + length]) == check:
            return start
        brace = data.find(OPENS, brace + 1)
    return None


def _aside(path: Path, why: str, at: int, data: bytes) -> Path:
    aside = path.with_name(f"{why}-{path.stem}-{at}-{zlib.crc32(data):08x}.bytes")
    aside.write_bytes(data)
    return aside


def _damaged(path: Path, data: bytes, at: int) -> BadArtifact:
    after = _next_sound(data, at)
    lost = (after if after is not None else len(data)) - at
    return BadArtifact(
        f"{path} is damaged at byte {at}: {lost} of its {len(data)} bytes are no record that fits its checksum. Nothing "
        "was changed. Put the copy from the store in its place, or keep the sound records and lay the rest aside: "
        f"recloop salvage {path}"
    )
