import threading

import pytest

from recloop.errors import BadData, Unavailable
from recloop.serving.journal import Journal
from recloop.serving.shipping import Shipper


class Store:
    """Remembers what was shipped; raises `broken` where it is set."""

    def __init__(self):
        self.names, self.broken, self.reached = [], None, threading.Event()

    def ship(self, path):
        if self.broken:
            raise self.broken
        self.names.append(path.name)
        self.reached.set()


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path)
    yield made
    made.close()


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def clocked(journal, store):
    """A shipper, and the moment at which its clock stands."""
    moment = [0.0]
    return Shipper(journal, ship=store.ship, clock=lambda: moment[0], max_events=3, max_seconds=60), moment


def add(journal, *names):
    journal.append([{"kind": "event", "event_id": name} for name in names]).result()


def test_a_segment_is_sealed_and_shipped_by_size(clocked, journal, store):
    shipper, _ = clocked
    add(journal, "1", "2")
    assert shipper.look()
    assert store.names == []
    add(journal, "3")
    shipper.look()
    assert store.names == [path.name for path in journal.segments()]


def test_a_segment_is_sealed_by_age(clocked, journal, store):
    shipper, moment = clocked
    shipper.look()
    add(journal, "1")
    moment[0] = 61.0
    shipper.look()
    assert len(store.names) == 1


def test_age_counts_from_the_first_record_not_from_an_idle_night(clocked, journal, store):
    shipper, moment = clocked
    moment[0] = 1000.0
    shipper.look()
    add(journal, "1")
    moment[0] = 1030.0
    shipper.look()
    assert store.names == []


def test_each_segment_is_shipped_once_also_after_a_restart(clocked, journal, store):
    shipper, _ = clocked
    add(journal, "1", "2", "3")
    shipper.look()
    shipper.look()
    Shipper(journal, ship=store.ship, clock=lambda: 0.0, max_events=3, max_seconds=60).look()
    assert len(store.names) == 1


def test_a_store_that_is_down_is_told_and_tried_again_in_order(clocked, journal, store):
    shipper, _ = clocked
    store.broken = Unavailable("no answer")
    for n in range(2):
        add(journal, *(f"{n}{m}" for m in range(3)))
        assert not shipper.look()
    assert shipper.reasons["journal_store"].startswith("2 sealed segments wait")
    assert shipper.waiting() == 2
    store.broken = None
    assert shipper.look()
    assert store.names == [path.name for path in journal.segments()]
    assert shipper.reasons == {}


def test_one_segment_that_is_refused_does_not_keep_the_others_back(clocked, journal, store):
    shipper, _ = clocked
    add(journal, "1", "2", "3")
    bad = journal.seal()
    add(journal, "4", "5", "6")
    good = journal.seal()
    shipper.ship = lambda path: refuse(path) if path == bad else store.ship(path)
    assert not shipper.look()
    assert store.names == [good.name]
    assert "refused" in shipper.reasons["journal_store"]


def refuse(path):
    raise BadData(f"{path.name} refused")


def test_the_thread_ships_when_it_is_woken(journal, store):
    shipper = Shipper(journal, ship=store.ship, clock=lambda: 0.0, max_events=1, max_seconds=60, pause=600)
    shipper.start()
    add(journal, "1")
    shipper.wake()
    assert store.reached.wait(10)
    shipper.stop()
    assert not shipper.thread.is_alive()
