import errno
from pathlib import Path

import pytest

from recloop.artifacts import local
from recloop.artifacts.local import LocalStore
from recloop.errors import Unavailable


@pytest.fixture
def folder(tmp_path):
    store = LocalStore(str(tmp_path))
    store.write("k", b"old")
    return store


def test_a_write_that_fails_leaves_the_old_object_and_no_part(folder, monkeypatch):
    def broken(path: Path) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(local, "_fsync", broken)
    with pytest.raises(Unavailable, match="k cannot be written"):
        folder.write("k", b"new")
    assert [p.name for p in folder.folder.iterdir()] == ["k"]
    assert folder.read("k") == b"old"


def test_a_full_disk_is_named_as_such(folder, monkeypatch):
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(local, "_fsync", full)
    with pytest.raises(Unavailable, match="The disk is full"):
        folder.write("k", b"new")


def test_a_part_left_by_a_killed_writer_is_no_object(folder):
    (folder.folder / ".#left").write_bytes(b"half")
    assert folder.keys("") == ["k"]


def test_a_place_that_cannot_be_made_is_unavailable(folder):
    with pytest.raises(Unavailable, match="k/below"):
        folder.write("k/below", b"new")


def test_locking_where_nothing_can_be_written_is_unavailable(folder):
    (folder.folder / ".locks").write_bytes(b"in the way")
    with pytest.raises(Unavailable, match="k cannot be written"):
        folder.swap("k", b"new", expected=None)


def test_the_file_is_durable_before_it_becomes_the_object(folder, monkeypatch):
    order = []
    monkeypatch.setattr(local, "_fsync", lambda path: order.append(("fsync", path.name.startswith(".#"))))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: order.append(("replace", True)) or replace(self, to))
    folder.write("k", b"new")
    assert order == [("fsync", True), ("replace", True), ("fsync", False)]
