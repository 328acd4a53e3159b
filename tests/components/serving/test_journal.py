import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recloop.errors import BadArtifact, Busy, Unavailable
from recloop.serving import journal as module
from recloop.serving.journal import ACTIVE, Full, Journal, read_segment


def event(name):
    return {"kind": "event", "event_id": name}


def test_what_is_acknowledged_is_in_the_file(opened):
    journal = opened()
    assert journal.append([event("1"), event("2")]).result() == [True, True]
    assert read_segment(journal.folder / ACTIVE) == [event("1"), event("2")]


def test_an_event_id_is_taken_once(opened):
    journal = opened()
    assert journal.append([event("1"), event("1")]).result() == [True, False]
    assert journal.append([event("1")]).result() == [False]
    assert journal.records == 1


def test_answers_without_an_event_id_are_all_taken(opened):
    assert opened().append([{"kind": "answer"}, {"kind": "answer"}]).result() == [True, True]


def test_idempotency_survives_a_restart_and_a_seal(opened):
    first = opened()
    first.append([event("1")]).result()
    first.seal()
    first.append([event("2")]).result()
    first.close()
    assert opened().append([event("1"), event("2"), event("3")]).result() == [False, False, True]


def test_ids_older_than_the_window_are_forgotten(opened):
    first = opened(window=2)
    first.append([event("1"), event("2"), event("3")]).result()
    assert first.append([event("2"), event("1")]).result() == [False, True]
    first.close()
    assert list(opened(window=2).seen) == ["3", "1"]


def test_many_callers_share_one_sync(opened, monkeypatch):
    journal, gate, syncs = opened(), threading.Event(), []
    real = os.fdatasync

    def slow(file):
        gate.wait()
        syncs.append(file)
        real(file)

    monkeypatch.setattr(module.os, "fdatasync", slow)
    first = journal.append([event("first")])
    rest = [journal.append([event(str(n))]) for n in range(100)]
    gate.set()
    assert first.result() == [True]
    assert all(done.result() == [True] for done in rest)
    assert len(syncs) <= 3


def test_nothing_is_acknowledged_before_the_sync(opened, monkeypatch):
    journal, gate, asked = opened(), threading.Event(), threading.Event()

    def wait(file):
        asked.set()
        gate.wait()

    monkeypatch.setattr(module.os, "fdatasync", wait)
    done = journal.append([event("1")])
    asked.wait()
    assert not done.done()
    gate.set()
    assert done.result() == [True]


def test_a_seal_gives_an_immutable_segment_named_by_its_records(opened):
    journal = opened()
    journal.append([event("1"), event("2")]).result()
    first = journal.seal()
    journal.append([event("3")]).result()
    second = journal.seal()
    assert first.name.startswith("segment-000000000001-000000000002-")
    assert second.name.startswith("segment-000000000003-000000000003-")
    assert read_segment(first) == [event("1"), event("2")]
    assert journal.segments() == [first, second]
    assert list(journal.replay()) == [event("1"), event("2"), event("3")]


def test_an_empty_journal_is_not_sealed(opened):
    assert opened().seal() is None


def test_segments_of_two_journals_never_share_a_name(tmp_path):
    names = set()
    for n in range(2):
        journal = Journal(tmp_path / str(n))
        journal.append([event(f"of {n}")]).result()
        names.add(journal.seal().name)
        journal.close()
    assert len(names) == 2


def test_records_before_a_restart_count_for_the_next_seal(opened):
    first = opened()
    first.append([event("1")]).result()
    first.close()
    assert opened().records == 1


def test_a_torn_tail_is_cut_and_kept_at_the_start(opened, tmp_path):
    first = opened()
    first.append([event("1")]).result()
    first.close()
    with (first.folder / ACTIVE).open("ab") as stream:
        stream.write(b"half")
    journal = opened()
    assert Path(journal.torn).read_bytes() == b"half"
    assert list(journal.replay()) == [event("1")]


def test_damage_stops_the_start_and_frees_the_folder(opened):
    first = opened()
    first.append([event("1")]).result()
    sealed = first.seal()
    first.close()
    whole = sealed.read_bytes()
    sealed.write_bytes(whole[:-1] + b"x")
    with pytest.raises(BadArtifact, match=f"{sealed.name} is damaged at byte 0"):
        opened()
    sealed.write_bytes(whole)
    assert list(opened().seen) == ["1"]


def test_a_folder_has_one_writer(opened):
    journal = opened()
    with pytest.raises(Busy, match=str(journal.folder)):
        opened()


def test_a_caller_that_gave_up_does_not_stop_the_writer(opened):
    journal = opened()
    journal.append([event("1")]).cancel()
    assert journal.append([event("2")]).result() == [True]


def test_too_many_waiting_callers_are_sent_away(opened, monkeypatch):
    monkeypatch.setattr(module, "BEHIND", -1)
    with pytest.raises(Full, match="wait for the disk"):
        opened().append([event("1")])


def test_bytes_that_wait_are_bounded_and_free_again_once_written(opened, monkeypatch):
    monkeypatch.setattr(module, "BUFFER", 10)
    journal = opened()
    held = threading.Event()
    write = journal.active.append
    monkeypatch.setattr(journal.active, "append", lambda data: held.wait(10) and write(data))
    first = journal.append([event("1")])
    while journal.waiting.qsize():
        pass
    second = journal.append([event("2")])
    with pytest.raises(Full, match="bytes wait"):
        journal.append([event("3")])
    held.set()
    assert (first.result(10), second.result(10)) == ([True], [True])
    assert journal.append([event("3")]).result(10) == [True]


def test_closing_writes_what_waits(opened):
    journal = opened()
    done = [journal.append([event(str(n))]) for n in range(50)]
    journal.close()
    assert all(d.result() == [True] for d in done)
    assert len(read_segment(journal.folder / ACTIVE)) == 50


def test_a_duplicate_of_what_is_not_synced_yet_is_acknowledged_only_with_it(opened, monkeypatch):
    journal, gate, asked = opened(), threading.Event(), threading.Event()

    def wait(_):
        asked.set()
        gate.wait()

    monkeypatch.setattr(module.os, "fdatasync", wait)
    first = journal.append([event("1")])
    asked.wait()
    second = journal.append([event("1")])
    assert not second.done()
    gate.set()
    assert (first.result(), second.result()) == ([True], [False])


def test_seals_between_appends_lose_nothing_and_number_every_record(opened):
    journal = opened()
    with ThreadPoolExecutor(8) as pool:

        def send(n):
            if n % 10 == 0:
                journal.seal()
            return journal.append([event(f"{n}-{m}") for m in range(3)]).result()

        taken = list(pool.map(send, range(200)))
    assert taken == [[True] * 3] * 200
    kept = [record["event_id"] for record in journal.replay()]
    assert sorted(kept) == sorted(f"{n}-{m}" for n in range(200) for m in range(3))
    journal.seal()
    edges = [tuple(map(int, module.SEALED.fullmatch(path.stem).groups())) for path in journal.segments()]
    assert len(edges) > 1
    assert [first for first, _ in edges] == [1, *(last + 1 for _, last in edges[:-1])]
    assert edges[-1][1] == 600


def test_a_closed_journal_refuses_instead_of_waiting_for_ever(opened):
    journal = opened()
    journal.close()
    journal.close()
    with pytest.raises(Unavailable, match="closed"):
        journal.append([event("1")])
    with pytest.raises(Unavailable, match="closed"):
        journal.seal()
