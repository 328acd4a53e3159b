"""The journal of a real process, at every power cut between two of its system calls."""

import shutil
import sys
from pathlib import Path

import pytest

from power_cuts import Disk, trace
from recloop.errors import BadArtifact
from recloop.serving.journal import ACTIVE, Journal
from recloop.serving.segment import salvage

COPY = str(Path(__file__).with_name("journal_copy.py"))
LAST = 5
"""numbers that the process journals"""


@pytest.fixture
def traced(tmp_path):
    """Function: numbers and faults -> the trace of a process that journals them in tmp_path/disk/journal, and its exit code."""
    if not shutil.which("strace") or trace(["true"], tmp_path / "probe"):
        pytest.skip("strace cannot trace processes here")
    (tmp_path / "disk").mkdir()

    def run(first, last, *faults):
        out = tmp_path / "trace"
        command = [sys.executable, COPY, str(tmp_path / "disk/journal"), str(first), str(last)]
        code = trace(command, out, *faults)
        return out.read_text(), code

    return run


def survived(disk, texts, folder):
    """Check every state that a power cut may leave -> states, and those that a person has to salvage."""
    seen, salvaged = set(), 0
    for text in texts:
        for now in disk.run(text):
            for state in now.states():
                known = frozenset(now.acknowledged)
                mark = (tuple(sorted(state.items())), known)
                if mark not in seen:
                    seen.add(mark)
                    salvaged += checked(state, known, folder / str(len(seen)))
    return len(seen), salvaged


def checked(state, acknowledged, folder):
    """Open the journal on a state: everything acknowledged is there once, nothing else than what was sent is."""
    for name, content in state.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    salvaged, journal = restarted(folder / "journal")
    try:
        ids = [record["event_id"] for record in journal.replay()]
        assert len(ids) == len(set(ids)), f"twice: {ids}"
        promised = {f"{n}-{part}" for n in acknowledged for part in (0, 1)}
        assert promised <= set(ids), f"lost: {sorted(promised - set(ids))}"
        assert set(ids) <= {f"{n}-{part}" for n in range(LAST) for part in (0, 1)}
    finally:
        journal.close()
        shutil.rmtree(folder)
    return salvaged


def restarted(folder):
    """Whether it took a salvage, and the journal."""
    try:
        return False, Journal(folder)
    except BadArtifact:
        salvage(folder / ACTIVE)
        return True, Journal(folder)


def test_nothing_acknowledged_is_lost_by_a_power_cut_at_any_system_call(traced, tmp_path):
    text, code = traced(0, LAST)
    states, _ = survived(Disk(tmp_path / "disk"), [text], tmp_path / "cut")
    assert code == 0
    assert states > 30


@pytest.mark.parametrize(
    "fault",
    [
        "fdatasync:error=EIO:when=2..3",
        "write:error=ENOSPC:when=2",
        "fsync:error=EIO:when=3",
        "fsync:error=EIO:when=4",
        "rename:error=EIO:when=2",
    ],
)
def test_nothing_acknowledged_is_lost_where_the_disk_failed_before(traced, tmp_path, fault):
    text, code = traced(0, LAST, fault)
    states, _ = survived(Disk(tmp_path / "disk"), [text], tmp_path / "cut")
    assert code == 0
    assert "INJECTED" in text
    assert states > 30


def test_what_a_killed_writer_left_is_safe_before_it_is_called_known(traced, tmp_path):
    killed, _ = traced(0, LAST, "fdatasync:signal=KILL:when=2")
    resumed, code = traced(0, LAST)
    states, _ = survived(Disk(tmp_path / "disk"), [killed, resumed], tmp_path / "cut")
    assert code == 0
    assert states > 30
