import gzip

import pytest

from recloop.data.onboarding.dialect import guess_dialect
from recloop.data.sources.table import Dialect
from recloop.errors import BadData


def guessed(path, content):
    path.write_bytes(content)
    return guess_dialect(path)


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        (b"a,b\n1,2\n", Dialect()),
        (b"a;b;c\n1;2,5;3\n", Dialect(";")),
        (b"a\tb\n1\t2\n", Dialect("\t")),
        (b"a,b\n1,M\xfcnchen\n", Dialect("", "windows-1252")),
        ("a,b\n1,München\n".encode(), Dialect()),
    ],
)
def test_separator_and_encoding_are_found(tmp_path, content, dialect):
    assert guessed(tmp_path / "log.csv", content) == dialect


def test_a_packed_file_is_looked_into(tmp_path):
    assert guessed(tmp_path / "log.csv.gz", gzip.compress(b"a;b\n1;2\n")) == Dialect(";")


@pytest.mark.parametrize(("content", "says"), [(b"", "is empty"), (b"PK\0\0", "is no text")])
def test_what_is_no_csv_is_named(tmp_path, content, says):
    with pytest.raises(BadData, match=says):
        guessed(tmp_path / "log.csv", content)
