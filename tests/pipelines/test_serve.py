import gc
import weakref
from types import SimpleNamespace

import pytest

from recloop_pipelines.serve import _steady


class Release:
    """One that holds itself, so that only the collector can free it."""

    def __init__(self):
        self.own = self


@pytest.fixture
def collector():
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_the_collector_does_not_look_at_what_stays(collector):
    stays = [[n] for n in range(10)]
    _steady(SimpleNamespace(preparations=[]))
    assert not any(one is stays for one in gc.get_objects())


def test_what_an_older_release_left_behind_is_freed_when_another_is_taken_up(collector):
    engine = SimpleNamespace(preparations=[])
    _steady(engine)
    gone = weakref.ref(Release())
    assert gone() is not None
    for prepare in engine.preparations:
        prepare(None)
    assert gone() is None
