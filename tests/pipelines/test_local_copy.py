import shutil

import pytest

from recloop.artifacts import open_store, promote, publishing, read_manifest
from recloop_pipelines import serve
from recloop_pipelines.settings import settings


@pytest.fixture
def released(tmp_path, monkeypatch):
    """Function: folder of the store -> the pointer to a release in it; the home is tmp_path/home."""

    def make(store):
        monkeypatch.setenv("RECLOOP_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("RECLOOP_STORE", f"file://{store}")
        settings.cache_clear()
        uri = f"file://{store}/shop/release/1"
        with publishing(uri, kind="release", parents={}, config={}) as draft:
            (draft.path / "release.json").write_text("{}")
        digest = read_manifest(uri, kind="release").digest
        return promote(open_store(f"file://{store}"), "shop", release=uri, digest=digest, expected=None, reason="test")

    yield make
    settings.cache_clear()


def test_a_release_of_a_store_elsewhere_is_kept_and_serves_without_it(released, tmp_path):
    pointer = released(tmp_path / "share")
    kept = serve._fetch(pointer)
    assert kept.is_relative_to(tmp_path / "home")
    shutil.rmtree(tmp_path / "share")
    assert serve._fetch(pointer) == kept
    assert (kept / "release.json").read_text() == "{}"


def test_a_release_of_a_store_in_the_home_is_not_kept_twice(released, tmp_path):
    pointer = released(tmp_path / "home" / "store")
    assert serve._fetch(pointer) == tmp_path / "home" / "store" / "shop" / "release" / "1"
    assert not (tmp_path / "home" / "cache").exists()
