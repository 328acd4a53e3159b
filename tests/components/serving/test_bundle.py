import json
import shutil

import numpy as np
import onnx
import polars as pl
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file, save_file

from recloop.artifacts.manifest import describe
from recloop.data.features import NAMES
from recloop.errors import BadRelease
from recloop.serving.bundle import Bundle, assemble


@pytest.fixture
def folder(bundle_folder, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(bundle_folder, tmp_path / "bundle")


def change(path, name, value):
    arrays = load_file(path)
    arrays[name] = value(arrays[name])
    save_file(arrays, path)


def spoilt(values):
    values = values.copy()
    values[3] = np.nan
    return values


def refused(folder, match):
    with pytest.raises(BadRelease, match=match):
        Bundle.load(folder)


def test_a_bundle_holds_everyones_history_up_to_the_end_of_the_data(bundle):
    assert len(bundle.past) == len(bundle.users) == 6
    assert bundle.past.times.max() < bundle.end
    assert bundle.catalogue.ids == ("", *bundle.items.ids)


def test_the_same_inputs_give_the_same_bytes(bundle_folder, tmp_path):
    beside = bundle_folder.parent
    (tmp_path / "again").mkdir()
    assemble(
        beside / "dataset", beside / "model", beside / "scorecard", tmp_path / "again", scenario="tiny", config="{}"
    )
    assert describe(tmp_path / "again") == describe(bundle_folder)


def test_vectors_of_another_length_are_refused(folder):
    change(folder / "model" / "item_knn.safetensors", "neighbours", lambda values: values[:-1])
    refused(folder, r"the vocabulary has 12 items, but \{'item_knn': 12\}")


@pytest.mark.parametrize("name", ["pop28", "price28", "gap"])
def test_statistics_that_are_not_finite_are_refused(folder, name):
    change(folder / "model" / "statistics.safetensors", name, spoilt)
    refused(folder, f"1 of 13 statistics.{name} are not finite")


def test_histories_that_are_not_finite_are_refused(folder):
    change(folder / "history.safetensors", "prices", spoilt)
    refused(folder, "1 of .* prices are not finite")


def test_a_release_from_before_stores_were_kept_knows_none(folder):
    arrays = load_file(folder / "history.safetensors")
    del arrays["stores"]
    save_file(arrays, folder / "history.safetensors")
    assert not Bundle.load(folder).past.stores.any()


def test_histories_of_unknown_items_are_refused(folder):
    change(folder / "history.safetensors", "items", lambda values: np.where(values == 1, 99, values).astype(np.int32))
    refused(folder, "events are of no item of the vocabulary")


def test_histories_of_other_users_are_refused(folder):
    change(folder / "history.safetensors", "offsets", lambda values: values[:-1])
    refused(folder, "5 histories for 6 users")


def test_offsets_that_do_not_fit_the_events_are_refused(folder):
    change(folder / "history.safetensors", "offsets", lambda values: np.append(values[:-1], values[-1] + 1))
    refused(folder, "do not fit arrays of")


def test_a_catalogue_in_another_order_is_refused(folder):
    table = pl.read_parquet(folder / "catalogue.parquet")
    table.reverse().write_parquet(folder / "catalogue.parquet")
    refused(folder, "does not list the vocabulary's 12 items in code order")


def test_an_empty_vocabulary_is_refused(folder):
    (folder / "items.json").write_text("[]")
    refused(folder, "the vocabulary is empty")


def test_scores_that_are_not_finite_are_refused(folder):
    path = folder / "model" / "ranker.onnx"
    model = onnx.load_from_string(path.read_bytes())
    weights = np.full(len(NAMES), np.nan, dtype=np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights, "weights"))
    path.write_bytes(model.SerializeToString())
    refused(folder, "first question for known users got scores that are not finite")


def test_a_model_that_proposes_nothing_to_a_stranger_is_refused(folder):
    change(folder / "model" / "statistics.safetensors", "pop28", np.zeros_like)
    refused(folder, "the first question for an unknown user got 0 of at least 1 items")


SPOILS = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "of another kind": lambda path: path.write_text('{"a": 1}'),
}
FILES = ("release.json", "users.json", "items.json", "catalogue.parquet", "history.safetensors", "model/model.json",
         "model/ranker.onnx", "model/statistics.safetensors", "model/item_knn.safetensors",
         "model/linear.safetensors")  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_file_that_is_wrong_is_refused(folder, name, spoil):
    spoil(folder / name)
    refused(folder, "bundle")


def test_neighbours_outside_the_vocabulary_are_refused(folder):
    change(folder / "model" / "item_knn.safetensors", "neighbours", lambda values: np.where(values == 1, 13, values))
    refused(folder, "neighbours are no item of the vocabulary")


def test_histories_out_of_order_are_refused(folder):
    change(folder / "history.safetensors", "times", lambda values: values[::-1].copy())
    refused(folder, "events are out of order")


def test_events_after_the_end_are_refused(folder):
    facts = json.loads((folder / "release.json").read_text())
    (folder / "release.json").write_text(json.dumps(facts | {"end": facts["end"] - 40 * 86_400}))
    refused(folder, "lie after the end")


@pytest.fixture
def encoded(folder):
    """The bundle with an encoder that sums the vectors of a history."""
    model, vectors = folder / "model", np.eye(13, 4, dtype=np.float32)
    np.save(model / "item_vectors.npy", vectors)
    np.save(model / "item_known.npy", np.ones(13, dtype=bool))
    graph = helper.make_graph(
        [helper.make_node("Gather", ["vectors", "items"], ["taken"]),
         helper.make_node("ReduceSum", ["taken", "axes"], ["state"], keepdims=0)],
        "encoder",
        [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in
         (("items", ["rows", "length"]), ("lengths", ["rows"]))],
        [helper.make_tensor_value_info("state", TensorProto.FLOAT, ["rows", 4])],
        [numpy_helper.from_array(vectors, "vectors"), numpy_helper.from_array(np.array([1]), "axes")],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(made, {"length": "20"})
    (model / "encoder.onnx").write_bytes(made.SerializeToString())
    facts = json.loads((model / "model.json").read_text())
    (model / "model.json").write_text(json.dumps(facts | {"sasrec": True}))
    return folder


def test_a_bundle_with_an_encoder_serves(encoded):
    assert Bundle.load(encoded).model.model.parts.encoder.vectors.shape == (13, 4)


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("item_vectors", np.ones((12, 4), np.float32), "'item vectors': 12"),
        ("item_known", np.ones(12, dtype=bool), "'known items': 12"),
        ("item_vectors", np.full((13, 4), np.nan, np.float32), "52 of 52 item vectors are not finite"),
        ("item_vectors", np.ones((13, 5), np.float32), "cannot be read or asked: ValueError"),
    ],
)
def test_an_encoder_that_does_not_fit_is_refused(encoded, name, value, match):
    np.save(encoded / "model" / f"{name}.npy", value)
    refused(encoded, match)
