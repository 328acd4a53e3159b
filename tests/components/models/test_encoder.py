import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

from fits import CONFIG, N_CODES, fit, histories_of, walks
from recloop.models.encoder import Encoder
from recloop.models.sasrec import SASRec


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("sasrec")
    fit(place / "out", place / "work")
    return place / "out"


@pytest.fixture(scope="module")
def encoder(folder):
    return Encoder.load(folder)


def in_torch(folder, codes):
    """State after the last of `codes`, by the weights themselves. [dim]"""
    net = SASRec(N_CODES, CONFIG)
    net.load_state_dict(load_file(folder / "sasrec.safetensors"))
    with torch.no_grad():
        return net.eval()(torch.tensor([codes]))[0, -1].numpy()


@pytest.mark.parametrize("codes", [[7], [3, 1], [2, 4, 6, 8, 10, 12]])
def test_states_are_those_of_torch(folder, encoder, codes):
    assert encoder.encode(histories_of(codes))[0] == pytest.approx(in_torch(folder, codes), abs=1e-5)


def test_only_the_last_items_of_a_long_history_are_seen(folder, encoder):
    assert encoder.encode(histories_of([9, 8, 7, 1, 2, 3, 4, 5, 6]))[0] == pytest.approx(
        in_torch(folder, [1, 2, 3, 4, 5, 6]), abs=1e-5
    )


def test_an_item_taken_again_changes_nothing(encoder):
    once, again = encoder.encode(histories_of([3, 5, 8], [3, 5, 3, 8, 5, 3]))
    assert again == pytest.approx(once, abs=1e-6)


def test_repeats_are_seen_where_the_model_learnt_them(tmp_path):
    fit(tmp_path / "out", tmp_path / "work", config=CONFIG.model_copy(update={"repeats": True, "epochs": 1}))
    once, again = Encoder.load(tmp_path / "out").encode(histories_of([3, 5, 8], [3, 5, 3, 8, 5, 3]))
    assert np.abs(again - once).max() > 1e-3


def test_a_history_without_events_gives_a_state_of_zeros(encoder):
    states = encoder.encode(histories_of([], [4, 2], []))
    assert not states[[0, 2]].any()
    assert states[1].any()


def test_no_histories_give_no_states(encoder):
    assert encoder.encode(histories_of()).shape == (0, CONFIG.dim)


def test_a_user_alone_gets_the_state_that_a_batch_gives(encoder):
    together = walks(300)
    alone = [encoder.encode(together.part(n, n + 1))[0] for n in (0, 17, 299)]
    assert np.stack(alone) == pytest.approx(encoder.encode(together)[[0, 17, 299]], abs=1e-5)


def test_scores_are_states_times_vectors_of_every_item(encoder):
    rows = histories_of([1, 2], [5])
    assert encoder.scores(rows) == pytest.approx(encoder.encode(rows) @ encoder.vectors.T, abs=1e-6)
    assert encoder.vectors.shape == (N_CODES, CONFIG.dim)


def test_the_graph_holds_its_weights_and_no_trace_of_where_it_was_made(folder):
    model = onnx.load(folder / "encoder.onnx", load_external_data=False)
    assert all(t.data_location != onnx.TensorProto.EXTERNAL for t in model.graph.initializer)
    assert not model.doc_string
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    assert str(folder.parent).encode() not in (folder / "encoder.onnx").read_bytes()
