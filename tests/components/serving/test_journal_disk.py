"""The journal on a disk that is full or fails."""

import errno
import os
import resource
from pathlib import Path

import pytest

from recloop.errors import Unavailable
from recloop.serving import journal as module
from recloop.serving.journal import ACTIVE, read_segment


def event(name):
    return {"kind": "event", "event_id": name}


def full(_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_refuses_with_the_reason_and_the_event_may_be_sent_again(opened, monkeypatch):
    journal = opened()
    with monkeypatch.context() as patched:
        patched.setattr(module.os, "fdatasync", full)
        with pytest.raises(Unavailable, match="No space left"):
            journal.append([event("1")]).result()
        assert "No space left" in journal.reasons["journal"]
    assert journal.append([event("1")]).result() == [True]
    assert journal.reasons == {}
    assert read_segment(journal.folder / ACTIVE) == [event("1")]


def test_a_file_whose_sync_failed_is_left_for_a_copy_of_what_was_safe(opened, monkeypatch):
    journal = opened()
    journal.append([event("1")]).result()
    active = journal.folder / ACTIVE
    before = active.stat().st_ino
    with monkeypatch.context() as patched:
        patched.setattr(module.os, "fdatasync", full)
        with pytest.raises(Unavailable):
            journal.append([event("2")]).result()
    journal.append([event("3")]).result()
    assert active.stat().st_ino != before
    assert read_segment(active) == [event("1"), event("3")]


def test_a_copy_is_refused_where_what_was_safe_cannot_be_read_any_more(opened, monkeypatch):
    journal = opened()
    journal.append([event("1")]).result()
    with monkeypatch.context() as patched:
        patched.setattr(module.os, "fdatasync", full)
        with pytest.raises(Unavailable):
            journal.append([event("2")]).result()
    with (journal.folder / ACTIVE).open("r+b") as stream:
        stream.seek(12)
        stream.write(b"?")
    with pytest.raises(Unavailable, match="bytes were safe, 0 can be read"):
        journal.append([event("3")]).result()


def test_a_duplicate_is_not_acknowledged_while_its_first_copy_failed(opened, monkeypatch):
    journal = opened()
    with monkeypatch.context() as patched:
        patched.setattr(module.os, "fdatasync", full)
        for done in (journal.append([event("1")]), journal.append([event("1")])):
            with pytest.raises(Unavailable):
                done.result()


def test_half_of_a_write_does_not_stay(opened, monkeypatch):
    journal = opened()
    journal.append([event("1")]).result()
    real = os.write

    def half(file, data):
        if len(data) > 5:
            return real(file, data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "write", half)
        # cutting fails at first as well: the next write must cut before it writes
        patched.setattr(module.os, "ftruncate", lambda file, size: full(file))
        with pytest.raises(Unavailable):
            journal.append([event("2")]).result()
    journal.append([event("3")]).result()
    assert read_segment(journal.folder / ACTIVE) == [event("1"), event("3")]


def test_a_disk_that_is_full_in_the_middle_of_a_write_leaves_nothing_of_it(opened):
    journal = opened()
    journal.append([event("1")]).result()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.active.size + 100, limits[1]))
    try:
        with pytest.raises(Unavailable, match="File too large"):
            journal.append([event(str(n)) for n in range(2, 100)]).result()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert read_segment(journal.folder / ACTIVE) == [event("1")]
    assert journal.append([event("2")]).result() == [True]


def test_a_seal_that_fails_half_way_leaves_the_active_segment_as_it_was(opened, monkeypatch):
    journal = opened()
    journal.append([event("1")]).result()
    real = Path.rename

    def rename(path, target):
        if path.name == "next.log":
            raise OSError(errno.EIO, "Input/output error")
        return real(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with pytest.raises(Unavailable, match="cannot be sealed"):
            journal.seal()
    journal.append([event("2")]).result()
    assert journal.segments() == []
    assert read_segment(journal.seal()) == [event("1"), event("2")]
