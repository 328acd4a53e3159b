import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.artifacts.manifest import KINDS, NAME, File, Manifest, describe, parse, verify
from recloop.errors import BadArtifact

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
NAMES = st.lists(
    st.text("abcXYZ_-.0", min_size=1, max_size=8).filter(lambda p: p not in {".", ".."}), min_size=1, max_size=3
)
PATHS = NAMES.map("/".join).filter(lambda p: p != NAME)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MANIFESTS = st.builds(
    Manifest,
    kind=st.sampled_from(KINDS),
    files=st.dictionaries(PATHS, st.builds(File, sha256=HEX, size=st.integers(0, 2**60)), max_size=4),
    parents=st.dictionaries(st.text(), HEX, max_size=3),
    config=st.dictionaries(st.text(), JSON, max_size=4),
    metrics=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False), max_size=4),
)


@given(MANIFESTS)
def test_a_manifest_survives_its_json(manifest):
    again = parse(manifest.dumps(), uri="s3://b/a")
    assert (again, again.digest) == (manifest, manifest.digest)


@given(MANIFESTS, st.randoms())
def test_the_digest_does_not_depend_on_the_order_of_keys(manifest, random):
    def shuffled(value):
        if not isinstance(value, dict):
            return value
        keys = list(value)
        random.shuffle(keys)
        return {k: shuffled(value[k]) for k in keys}

    other = Manifest.model_validate(shuffled(manifest.model_dump(mode="json")))
    assert other.digest == manifest.digest


@given(MANIFESTS, MANIFESTS)
def test_different_manifests_have_different_digests(one, other):
    assert (one.digest == other.digest) == (one.dumps() == other.dumps())


@given(st.binary(max_size=200))
def test_bytes_that_are_no_manifest_are_refused_by_name(data):
    with pytest.raises(BadArtifact, match="s3://b/a"):
        parse(data, uri="s3://b/a")


def tampered(**changes):
    good = Manifest(kind="model", files={"w": File(sha256="0" * 64, size=1)})
    return json.dumps(good.model_dump(mode="json") | changes).encode()


def test_an_untampered_manifest_is_accepted():
    assert parse(tampered(), uri="u").kind == "model"


@pytest.mark.parametrize("name", ["../w", "/etc/passwd", "a/../../w", "", ".", "a//b", "a\\b", "./a", NAME])
def test_a_file_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(BadArtifact, match="no plain relative path"):
        parse(tampered(files={name: {"sha256": "0" * 64, "size": 1}}), uri="u")


@pytest.mark.parametrize("file", [{"sha256": "zz", "size": 1}, {"sha256": "0" * 64, "size": -1}, {"sha256": "0" * 64}])
def test_a_file_without_a_sound_hash_and_size_is_refused(file):
    with pytest.raises(BadArtifact):
        parse(tampered(files={"w": file}), uri="u")


def test_another_schema_is_refused_with_both_numbers():
    with pytest.raises(BadArtifact, match="schema 2; this version reads 1"):
        parse(tampered(schema_version=2), uri="u")


def test_an_unknown_key_is_refused():
    with pytest.raises(BadArtifact, match="pickle"):
        parse(tampered(pickle="yes"), uri="u")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="finite"):
        Manifest(kind="model", files={}, metrics={"ndcg": value})


def test_describe_lists_every_file_below_the_folder_but_the_manifest(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    for name in ("w", f"sub/{NAME}", NAME):
        (tmp_path / name).write_bytes(b"abc")
    abc = File(sha256="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", size=3)
    assert describe(tmp_path) == {"w": abc, f"sub/{NAME}": abc}


@given(st.dictionaries(st.sampled_from(["a", "b", "s/c"]), st.binary(max_size=20), min_size=1), st.data())
def test_verify_finds_any_changed_or_missing_file(tmp_path_factory, files, data):
    folder = tmp_path_factory.mktemp("artefact")
    (folder / "s").mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = Manifest(kind="model", files=describe(folder))
    verify(folder, manifest, uri="u")
    victim = data.draw(st.sampled_from(sorted(files)))
    if data.draw(st.booleans()):
        (folder / victim).write_bytes(files[victim] + b"!")
    else:
        (folder / victim).unlink()
    with pytest.raises(BadArtifact, match=victim):
        verify(folder, manifest, uri="u")
