"""An id -> the bytes by which files spell it, and whether some bytes hold it as a whole."""

import json
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

ALNUM = rb"[0-9A-Za-z]"
"""an id that goes on in one of these is another id"""
ESCAPE = re.compile(rb"(?:\\[bfnrt]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2})\Z")
"""before an id: the last letter belongs to an escaped character (a line break in JSON, = in an address), not to a word"""
ESCAPE_BYTES = 6

Buffer = bytes | mmap.mmap


@dataclass(frozen=True)
class Spelling:
    """Bytes of an id in one encoding, and the zero bytes that follow each ASCII character of it."""

    data: bytes
    padding: bytes = b""

    def within(self, buffer: Buffer) -> bool:
        """The bytes hold the id, not as a part of a longer word or number."""
        return any(self._whole(buffer, at) for at in _places(buffer, self.data))

    def _whole(self, buffer: Buffer, at: int) -> bool:
        unit, end = 1 + len(self.padding), at + len(self.data)
        before, after = buffer[max(0, at - unit) : at], buffer[end : end + unit]
        if self._letter(after):
            return False
        return not self._letter(before) or bool(ESCAPE.search(buffer[max(0, at - ESCAPE_BYTES) : at]))

    def _letter(self, character: bytes) -> bool:
        return re.fullmatch(ALNUM + re.escape(self.padding), character) is not None


def spellings(id_: str) -> tuple[Spelling, ...]:
    """UTF-8, UTF-16 and UTF-32 (text of NumPy), JSON with escapes of either case, and percent-encoding; each once."""
    escaped = json.dumps(id_)[1:-1]
    upper = re.sub(r"\\u[0-9a-f]{4}", lambda m: "\\u" + m[0][2:].upper(), escaped)
    narrow = [id_, escaped, upper, json.dumps(id_, ensure_ascii=False)[1:-1], quote(id_), quote(id_, safe="")]
    wide = (Spelling(id_.encode("utf-16-le"), b"\0"), Spelling(id_.encode("utf-32-le"), b"\0\0\0"))
    return (*(Spelling(text.encode()) for text in dict.fromkeys(narrow)), *wide)


def held(buffer: Buffer, id_: str) -> bool:
    """The bytes hold the id in one of its spellings."""
    return any(spelling.within(buffer) for spelling in spellings(id_))


def _places(buffer: Buffer, data: bytes) -> Iterator[int]:
    at = buffer.find(data)
    while at >= 0:
        yield at
        at = buffer.find(data, at + 1)
