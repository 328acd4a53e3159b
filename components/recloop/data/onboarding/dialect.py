"""The first bytes of a CSV -> what parts its fields and how its characters are written."""

import gzip
from pathlib import Path

from recloop.data.sources.table import Dialect
from recloop.errors import BadData

BYTES = 1 << 20
SEPARATORS = (",", ";", "\t", "|")
LINES = 20


def guess_dialect(path: Path) -> Dialect:
    """Local file of CSV -> Dialect. Raises BadData: empty, or no text."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        head = file.read(BYTES)
    if not head.strip():
        raise BadData(f"{path} is empty. Check the export.")
    if b"\0" in head:
        raise BadData(f"{path} is no text, though its name says CSV. Export it as UTF-8 CSV, or name it by its format.")
    encoding = _encoding(head)
    lines = [line for line in head.decode(encoding, errors="replace").splitlines() if line][:LINES]
    usual = "\t" if path.name.removesuffix(".gz").endswith(".tsv") else ","
    separator = max(SEPARATORS, key=lambda s: (min(line.count(s) for line in lines), s == usual))
    return Dialect("" if separator == usual else separator, "utf8" if encoding == "utf-8" else encoding)


def _encoding(head: bytes) -> str:
    try:
        # the last character may be cut
        head[: len(head) - 4 if len(head) == BYTES else None].decode("utf-8")
    except UnicodeDecodeError as error:
        return "utf-8" if error.reason == "unexpected end of data" else "windows-1252"
    return "utf-8"
