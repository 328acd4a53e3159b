import os

import pytest

from recloop.serving.pruning import Pruning
from recloop.serving.shipping import mark

NOW, END, KEEP = 10_000.0, 500, 100.0


@pytest.fixture
def journal(opened):
    """Four sealed segments of two events each, at 100, 200, 300 and 400, shipped long ago; two ids are the window."""
    made = opened(window=2)
    for n in (1, 2, 3, 4):
        made.append([{"kind": "event", "event_id": f"{n}-{k}", "time": 100.0 * n} for k in "ab"]).result()
        made.append([{"kind": "answer", "time": 9_999.0}]).result()
        shipped(made.seal(), NOW - KEEP - 1)
    return made


def shipped(path, moment):
    mark(path).touch()
    os.utime(mark(path), (moment, moment))


def pruned(journal, *, end=END):
    before = journal.segments()
    gone = Pruning(journal, end=lambda: end, clock=lambda: NOW, keep=KEEP).look()
    assert journal.segments() == [path for path in before if path not in gone]
    assert not any(mark(path).exists() for path in gone)
    return [before.index(path) for path in gone]


def test_what_the_release_holds_goes_but_the_newest(journal):
    assert pruned(journal) == [0, 1, 2]


def test_what_the_release_does_not_hold_yet_stays(journal):
    assert pruned(journal, end=300) == [0, 1]


def test_nothing_goes_while_nothing_serves(journal):
    assert pruned(journal, end=None) == []


def test_what_is_not_in_the_store_stays_with_all_that_is_younger(journal):
    mark(journal.segments()[1]).unlink()
    assert pruned(journal) == [0]


def test_what_was_shipped_lately_stays(journal):
    shipped(journal.segments()[0], NOW - KEEP + 1)
    assert pruned(journal) == []


def test_what_the_window_of_ids_needs_stays(journal, opened):
    journal.window = 5
    assert pruned(journal) == [0]


def test_a_duplicate_is_still_known_after_a_restart(journal, opened):
    pruned(journal)
    journal.close()
    again = opened(window=2)
    assert again.append([{"kind": "event", "event_id": "4-b"}]).result() == [False]
    assert again.records == 0
    again.append([{"kind": "event", "event_id": "5"}]).result()
    assert again.seal().name.startswith("segment-000000000013-")
