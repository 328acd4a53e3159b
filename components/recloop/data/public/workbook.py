"""A workbook (.xlsx) as tables of text: only what a plain export holds, so that no further package is needed."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, iterparse

import polars as pl

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(path: Path) -> list[pl.DataFrame]:
    """Workbook -> its sheets in order; the first row names the columns, every value is text, dates are day numbers."""
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        shared = _shared(packed.open("xl/sharedStrings.xml")) if "xl/sharedStrings.xml" in names else []
        inside = [n for n in names if n.startswith("xl/worksheets/sheet") and n.endswith(".xml")]
        return [_table(packed.open(name), shared) for name in sorted(inside, key=lambda n: (len(n), n))]


def _shared(stream: IO[bytes]) -> list[str]:
    return [_words(element) for element in _elements(stream, "si")]


def _table(stream: IO[bytes], shared: list[str]) -> pl.DataFrame:
    rows = (_row(element, shared) for element in _elements(stream, "row"))
    header = {place: str(name) for place, name in next(rows).items()}
    columns: dict[str, list[str | None]] = {name: [] for name in header.values()}
    for row in rows:
        for place, name in header.items():
            columns[name].append(row.get(place))
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def _row(element: Element, shared: list[str]) -> dict[str, str | None]:
    """Letters of the column -> text."""
    return {cell.get("r", "").rstrip("0123456789"): _text(cell, shared) for cell in element}


def _text(cell: Element, shared: list[str]) -> str | None:
    if cell.get("t") == "inlineStr":
        return _words(cell)
    value = cell.findtext(f"{SPACE}v")
    return shared[int(value)] if cell.get("t") == "s" and value is not None else value


def _words(element: Element) -> str:
    return "".join(part.text or "" for part in element.iter(f"{SPACE}t"))


def _elements(stream: IO[bytes], name: str) -> Iterator[Element]:
    """Elements of one name, each forgotten after its turn: a sheet is larger than memory likes."""
    with stream:
        for _, element in iterparse(stream):
            if element.tag == SPACE + name:
                yield element
                element.clear()
