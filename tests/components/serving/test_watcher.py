import pytest

from recloop.artifacts.pointer import Pointer
from recloop.errors import BadArtifact, Unavailable
from recloop.serving.engine import Engine
from recloop.serving.state import State
from recloop.serving.watcher import Watcher


def pointer(generation):
    return Pointer(generation=generation, release=f"s3://b/{generation}", digest=f"digest-{generation}")


class Store:
    """A pointer and a bundle's folder; raises what is set instead."""

    def __init__(self, folder):
        self.folder, self.pointer, self.down, self.refuses, self.fetched = folder, pointer(1), None, None, 0

    def poll(self):
        if self.down:
            raise self.down
        return self.pointer

    def fetch(self, _):
        self.fetched += 1
        if self.refuses:
            raise self.refuses
        return self.folder


@pytest.fixture
def store(bundle_folder):
    return Store(bundle_folder)


@pytest.fixture
def watching(store, tmp_path):
    """Function: -> a watcher of a fresh engine, on one machine."""

    def make():
        engine = Engine(State(), k=5, max_k=20)
        remembered = tmp_path / "serving" / "pointer.json"
        return Watcher(engine, poll=store.poll, fetch=store.fetch, seconds=600, remembered=remembered)

    return make


def test_the_release_of_the_pointer_serves(watching):
    watcher = watching()
    watcher.look()
    assert (watcher.engine.serving.digest, watcher.engine.serving.generation) == ("digest-1", 1)


def test_before_the_first_release_nothing_serves_and_nothing_is_wrong(watching, store):
    store.pointer = None
    watcher = watching()
    watcher.look()
    assert watcher.engine.serving is None
    assert watcher.reasons == {}


def test_a_greater_generation_is_swapped_in_and_the_same_is_not_loaded_again(watching, store):
    watcher = watching()
    watcher.look()
    watcher.look()
    assert store.fetched == 1
    store.pointer = pointer(2)
    watcher.look()
    assert watcher.engine.serving.generation == 2


def test_a_pointer_that_goes_back_is_told_and_not_followed(watching, store):
    store.pointer = pointer(5)
    watcher = watching()
    watcher.look()
    store.pointer = pointer(4)
    watcher.look()
    assert watcher.engine.serving.generation == 5
    assert "went back to generation 4" in watcher.reasons["pointer"]


def test_a_store_that_is_down_is_told_and_what_serves_goes_on(watching, store):
    watcher = watching()
    watcher.look()
    store.down = Unavailable("no answer")
    watcher.look()
    assert watcher.engine.serving.generation == 1
    assert "no answer" in watcher.reasons["pointer"]
    store.down = None
    watcher.look()
    assert watcher.reasons == {}


def test_a_restart_without_the_store_serves_the_release_remembered(watching, store):
    watching().look()
    store.down = Unavailable("no answer")
    watcher = watching()
    watcher.look()
    assert watcher.engine.serving.generation == 1
    assert "no answer" in watcher.reasons["pointer"]


def test_a_first_start_without_the_store_is_not_ready_and_says_why(watching, store):
    store.down = Unavailable("no answer")
    watcher = watching()
    watcher.look()
    assert watcher.engine.serving is None
    assert "no answer" in watcher.reasons["pointer"]


def test_a_remembered_pointer_that_is_unreadable_is_told(watching, store):
    store.down = Unavailable("no answer")
    watcher = watching()
    watcher.remembered.parent.mkdir()
    watcher.remembered.write_text("{")
    watcher.look()
    assert "cannot be read" in watcher.reasons["remembered"]


def test_a_bad_bundle_is_refused_once_and_what_serves_goes_on(watching, store):
    watcher = watching()
    watcher.look()
    store.pointer, store.refuses = pointer(2), BadArtifact("hash differs")
    watcher.look()
    watcher.look()
    assert store.fetched == 2
    assert watcher.engine.serving.generation == 1
    assert watcher.reasons["release"] == "Generation 2 was refused: hash differs"


def test_a_reload_gives_a_refused_release_another_chance(watching, store):
    store.refuses = BadArtifact("hash differs")
    watcher = watching()
    watcher.look()
    store.refuses = None
    watcher.again()
    assert watcher.engine.serving.generation == 1
    assert watcher.reasons == {}


def test_a_fetch_that_failed_for_now_is_tried_at_the_next_look(watching, store):
    store.refuses = Unavailable("no answer")
    watcher = watching()
    watcher.look()
    store.refuses = None
    watcher.look()
    assert watcher.engine.serving.generation == 1


def test_a_disk_that_cannot_remember_does_not_stop_the_release(watching):
    watcher = watching()
    watcher.remembered.parent.write_text("a file where a folder should be")
    watcher.look()
    assert watcher.engine.serving.generation == 1
    assert "cannot be written" in watcher.reasons["remembered"]


def test_the_thread_ends(watching):
    watcher = watching()
    watcher.start()
    watcher.stop()
    assert not watcher.thread.is_alive()
