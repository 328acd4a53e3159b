import gc

import pytest

from recloop_pipelines.serve import _settled


@pytest.fixture
def collector():
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_the_collector_does_not_look_at_a_release_that_serves(collector):
    release = [{"item": [n]} for n in range(10)]
    _settled(release)
    assert not any(one is release for one in gc.get_objects())
