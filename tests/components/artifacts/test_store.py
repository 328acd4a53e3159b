import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recloop.artifacts.store import open_store
from recloop.errors import BadArtifact, BadConfig, Conflict


def test_what_is_written_is_read(store):
    store.write("a/b", b"one")
    assert store.read("a/b") == b"one"


def test_what_is_not_there_reads_as_none(store):
    store.write("a/b", b"one")
    assert [store.read(k) for k in ("x", "a", "a/b/c")] == [None, None, None]


def test_writing_again_replaces(store):
    store.write("k", b"one")
    store.write("k", b"two")
    assert store.read("k") == b"two"


def test_a_file_goes_up_and_comes_down_unchanged(store, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 50_000)
    store.upload(source, "big")
    store.download("big", target)
    assert target.read_bytes() == source.read_bytes()


def test_downloading_what_is_not_there_is_refused_by_name(store, tmp_path):
    with pytest.raises(BadArtifact, match=f"{store.root}/nothing does not exist"):
        store.download("nothing", tmp_path / "target")


def test_keys_are_sorted_and_start_with_the_prefix(store):
    for key in ("b/2", "b/1", "a", "bc", "b/x/3"):
        store.write(key, b"")
    assert store.keys("") == ["a", "b/1", "b/2", "b/x/3", "bc"]
    assert store.keys("b") == ["b/1", "b/2", "b/x/3", "bc"]
    assert store.keys("b/") == ["b/1", "b/2", "b/x/3"]
    assert store.keys("b/1") == ["b/1"]


def test_keys_of_an_empty_store_are_none(store):
    assert (store.keys(""), store.keys("x/")) == ([], [])


def test_keys_show_nothing_of_the_stores_own(store):
    store.swap("k", b"one", expected=None)
    assert store.keys("") == ["k"]


def test_deleted_objects_are_gone_and_deleting_again_is_no_error(store):
    store.write("k", b"one")
    store.delete("k")
    store.delete("k")
    assert (store.read("k"), store.keys("")) == (None, [])


def test_version_gives_bytes_and_a_tag_that_changes_with_them(store):
    assert store.version("k") is None
    store.write("k", b"one")
    data, tag = store.version("k")
    store.write("k", b"two")
    assert data == b"one"
    assert store.version("k")[1] != tag


def test_swap_creates_only_where_nothing_is(store):
    tag = store.swap("k", b"one", expected=None)
    assert store.version("k") == (b"one", tag)
    with pytest.raises(Conflict, match="one"):
        store.swap("k", b"two", expected=None)
    assert store.read("k") == b"one"


def test_swap_replaces_only_the_version_it_expects(store):
    first = store.swap("k", b"one", expected=None)
    second = store.swap("k", b"two", expected=first)
    with pytest.raises(Conflict, match="two"):
        store.swap("k", b"three", expected=first)
    assert store.version("k") == (b"two", second)


def test_swap_of_what_was_deleted_is_a_conflict(store):
    tag = store.swap("k", b"one", expected=None)
    store.delete("k")
    with pytest.raises(Conflict):
        store.swap("k", b"two", expected=tag)
    assert store.read("k") is None


@pytest.mark.parametrize("create", [True, False])
def test_of_16_rival_swaps_exactly_one_wins(store, create):
    tag = None if create else store.swap("k", b"start", expected=None)
    gate = threading.Barrier(16)

    def rival(number: int) -> bytes | None:
        data = f"rival-{number}".encode()
        gate.wait()
        try:
            store.swap("k", data, expected=tag)
        except Conflict:
            return None
        return data

    with ThreadPoolExecutor(16) as pool:
        won = [data for data in pool.map(rival, range(16)) if data is not None]
    assert won == [store.read("k")]


@given(st.binary(max_size=1000))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_survive(store, data):
    store.write("k", data)
    assert store.read("k") == data


def test_two_roots_do_not_see_each_other(root):
    one, other = open_store(f"{root}/one"), open_store(f"{root}/other/")
    one.write("k", b"one")
    assert (other.read("k"), other.keys("")) == (None, [])


def test_an_unknown_scheme_is_refused_and_the_setting_named():
    with pytest.raises(BadConfig, match="RECLOOP_STORE"):
        open_store("ftp://host/folder")


def test_a_plain_folder_is_a_store(tmp_path):
    assert open_store(str(tmp_path)).root == f"file://{tmp_path}"
