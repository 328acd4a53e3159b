import shutil

import numpy as np
import onnx
import polars as pl
import pytest
from onnx import numpy_helper
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


@pytest.mark.parametrize("name", ["release.json", "users.json", "catalogue.parquet", "model/ranker.onnx"])
def test_a_bundle_that_lacks_a_file_is_refused(folder, name):
    (folder / name).unlink()
    refused(folder, "cannot be read")


def test_a_truncated_file_is_refused(folder):
    path = folder / "history.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    refused(folder, "cannot be read")
