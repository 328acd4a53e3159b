import json
import os
import tracemalloc

import pytest

from recloop.errors import BadData
from recloop.serving.audit import Audit


@pytest.fixture
def audit(tmp_path):
    made = Audit(tmp_path / "log" / "audit.jsonl")
    for n, what in enumerate(("key added", "request", "key revoked")):
        made.note(who="ann", what=what, detail={"n": n}, now=float(n))
    return made


def test_lines_are_kept_in_order(audit):
    found = [(line["time"], line["who"], line["what"], line["detail"]["n"]) for line in audit.lines()]
    assert found == [(0.0, "ann", "key added", 0), (1.0, "ann", "request", 1), (2.0, "ann", "key revoked", 2)]


def test_an_audit_log_that_does_not_exist_is_empty(tmp_path):
    assert Audit(tmp_path / "audit.jsonl").lines() == []


def test_a_changed_line_shows(audit):
    audit.path.write_text(audit.path.read_text().replace("key added", "key shown"))
    with pytest.raises(BadData, match="line 1"):
        audit.lines()


def test_a_line_that_was_taken_out_shows(audit):
    first, _, third = audit.path.read_text().splitlines()
    audit.path.write_text(f"{first}\n{third}\n")
    with pytest.raises(BadData, match="line 2"):
        audit.lines()


@pytest.mark.parametrize("line", ["nonsense", "[]", json.dumps({"time": 1})])
def test_what_something_else_wrote_shows(audit, line):
    with audit.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(BadData, match="line 4"):
        audit.lines()


def test_a_long_log_is_not_read_for_one_more_line(audit):
    last = audit.path.read_bytes().splitlines(keepends=True)[-1]
    with audit.path.open("r+b") as file:
        file.truncate(32 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b"\n" + last)
    tracemalloc.start()
    audit.note(who="ann", what="request", detail={}, now=4.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_line_longer_than_a_block_is_bound_to_the_one_before(audit):
    audit.note(who="ann", what="rules", detail={"items": ["x" * 100] * 2_000}, now=4.0)
    audit.note(who="ann", what="request", detail={}, now=5.0)
    assert len(audit.lines()) == 5


def test_only_its_owner_reads_it(audit):
    assert audit.path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_short_stops_nothing_and_shows(audit):
    audit.path.write_bytes(audit.path.read_bytes()[:-9])
    audit.note(who="ann", what="request", detail={}, now=3.0)
    assert len(audit.path.read_text().splitlines()) == 4
    with pytest.raises(BadData, match="line 3"):
        audit.lines()
