import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recloop.artifacts import open_artifact, open_store, publishing, read_manifest
from recloop.artifacts.artifact import export
from recloop.errors import AlreadyPublished, BadArtifact, Conflict


def publish(uri, content=b"weights", *, kind="model", **more):
    with publishing(uri, kind=kind, **more) as draft:
        (draft.path / "sub").mkdir()
        (draft.path / "sub" / "w").write_bytes(content)
        draft.metrics["ndcg"] = 0.5
    return uri


def test_what_is_published_opens_verified(root, tmp_path):
    found = open_artifact(publish(f"{root}/m"), kind="model", cache=tmp_path / "cache")
    assert (found.path / "sub" / "w").read_bytes() == b"weights"
    assert (found.manifest.kind, found.manifest.metrics) == ("model", {"ndcg": 0.5})
    assert found.digest == read_manifest(f"{root}/m", kind="model").digest


def test_publishing_the_same_bytes_again_does_nothing(root):
    publish(f"{root}/m")
    before = read_manifest(f"{root}/m", kind="model")
    publish(f"{root}/m")
    assert read_manifest(f"{root}/m", kind="model") == before


def test_publishing_other_bytes_at_the_same_place_is_refused_and_changes_nothing(root, tmp_path):
    publish(f"{root}/m")
    with pytest.raises(AlreadyPublished, match=f"{root}/m"):
        publish(f"{root}/m", b"other")
    found = open_artifact(f"{root}/m", kind="model", cache=tmp_path / "cache")
    assert (found.path / "sub" / "w").read_bytes() == b"weights"


def test_a_block_that_raises_publishes_nothing(root):
    def broken():
        with publishing(f"{root}/m", kind="model") as draft:
            (draft.path / "w").write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert open_store(root).keys("") == []


def test_a_writer_killed_before_the_manifest_leaves_no_artefact_and_a_retry_heals(root, tmp_path, monkeypatch):
    store = type(open_store(root))
    with monkeypatch.context() as patch:
        patch.setattr(store, "swap", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            publish(f"{root}/m")
    with pytest.raises(BadArtifact, match="There is no model"):
        read_manifest(f"{root}/m", kind="model")
    publish(f"{root}/m")
    open_artifact(f"{root}/m", kind="model", cache=tmp_path / "cache")


def test_the_manifest_comes_last(root, monkeypatch):
    store = type(open_store(root))
    seen = []
    swap = store.swap
    monkeypatch.setattr(store, "swap", lambda self, *a, **k: seen.append(self.keys("")) or swap(self, *a, **k))
    publish(f"{root}/m")
    assert seen == [["sub/w"]]


def test_of_rival_publishers_of_the_same_bytes_all_succeed(root):
    gate = threading.Barrier(8)

    def rival(_: int) -> str:
        gate.wait()
        return publish(f"{root}/m")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(rival, range(8))) == [f"{root}/m"] * 8


def test_a_publisher_that_loses_the_race_at_the_manifest_is_refused(root, monkeypatch):
    store = type(open_store(root))
    swap = store.swap

    def overtaken(self, key, data, *, expected):
        monkeypatch.setattr(store, "swap", swap)
        publish(f"{root}/m", b"other")
        return swap(self, key, data, expected=expected)

    monkeypatch.setattr(store, "swap", overtaken)
    with pytest.raises(AlreadyPublished):
        publish(f"{root}/m")


def test_a_lost_answer_to_the_manifest_is_no_failure(root, monkeypatch):
    store = type(open_store(root))
    swap = store.swap

    def lost(self, key, data, *, expected):
        swap(self, key, data, expected=expected)
        raise Conflict("retried by the client")

    monkeypatch.setattr(store, "swap", lost)
    publish(f"{root}/m")
    assert read_manifest(f"{root}/m", kind="model").kind == "model"


def test_another_kind_is_refused(root, tmp_path):
    publish(f"{root}/m")
    with pytest.raises(BadArtifact, match="is a model, where a dataset is needed"):
        open_artifact(f"{root}/m", kind="dataset", cache=tmp_path / "cache")


def test_an_unknown_kind_is_refused_before_the_work(root):
    with pytest.raises(BadArtifact, match="'weights' is no kind"):
        publish(f"{root}/m", kind="weights")


def test_changed_bytes_in_the_store_are_found(root, tmp_path):
    publish(f"{root}/m")
    open_store(f"{root}/m").write("sub/w", b"tampered")
    with pytest.raises(BadArtifact, match="sub/w is corrupted"):
        open_artifact(f"{root}/m", kind="model", cache=tmp_path / "cache")


def test_parents_are_recorded_by_digest(root, tmp_path):
    parent = open_artifact(publish(f"{root}/d", kind="dataset"), kind="dataset", cache=tmp_path / "cache")
    publish(f"{root}/m", parents={"dataset": parent})
    assert read_manifest(f"{root}/m", kind="model").parents == {"dataset": parent.digest}


def test_a_metric_that_is_no_number_is_refused_and_nothing_is_published(root):
    def broken():
        with publishing(f"{root}/m", kind="model") as draft:
            draft.metrics["ndcg"] = float("nan")

    with pytest.raises(BadArtifact, match="ndcg"):
        broken()
    assert open_store(root).keys("") == []


def test_a_config_that_is_no_json_number_is_refused(root):
    with pytest.raises(BadArtifact, match="was not published"):
        publish(f"{root}/m", config={"rate": float("inf")})


def test_a_second_opening_uses_the_cache(bucket, tmp_path, monkeypatch):
    uri = publish(f"{bucket}/m")
    first = open_artifact(uri, kind="model", cache=tmp_path / "cache")
    monkeypatch.setattr(type(open_store(uri)), "download", None)
    assert open_artifact(uri, kind="model", cache=tmp_path / "cache") == first


def test_a_damaged_cache_is_fetched_again(bucket, tmp_path):
    uri = publish(f"{bucket}/m")
    first = open_artifact(uri, kind="model", cache=tmp_path / "cache")
    (first.path / "sub" / "w").write_bytes(b"")
    again = open_artifact(uri, kind="model", cache=tmp_path / "cache")
    assert (again.path / "sub" / "w").read_bytes() == b"weights"


def test_rivals_that_fetch_into_one_cache_all_get_it(bucket, tmp_path):
    uri = publish(f"{bucket}/m")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: open_artifact(uri, kind="model", cache=tmp_path / "cache"), range(8)))
    assert {(a.path / "sub" / "w").read_bytes() for a in found} == {b"weights"}


def test_a_failed_fetch_leaves_nothing_in_the_cache(bucket, tmp_path):
    uri = publish(f"{bucket}/m")
    open_store(uri).delete("sub/w")
    with pytest.raises(BadArtifact):
        open_artifact(uri, kind="model", cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_export_is_an_artefact_in_its_folder(root, tmp_path):
    found = open_artifact(publish(f"{root}/m"), kind="model", cache=tmp_path / "cache")
    export(found, tmp_path / "out")
    assert open_artifact(str(tmp_path / "out"), kind="model", cache=tmp_path / "none").digest == found.digest
