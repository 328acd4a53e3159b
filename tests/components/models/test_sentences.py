import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from encoders import CONFIG, write_encoder
from recloop.errors import BadData
from recloop.models.sentences import encode, load

TEXTS = ["red shoes", "blue hat, red", "hat"]


@pytest.fixture
def folder(tmp_path):
    torch.set_num_threads(1)
    return write_encoder(tmp_path / "encoder")


def test_a_text_has_the_same_unit_vector_alone_and_beside_longer_ones(folder):
    together = encode(folder, TEXTS, length=16)
    alone = np.concatenate([encode(folder, [text], length=16) for text in TEXTS])
    assert together == pytest.approx(alone, abs=1e-6)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(3), abs=1e-6)


def test_equal_texts_have_equal_vectors_and_order_is_kept(folder):
    found = encode(folder, ["hat", "red shoes", "hat"], length=16)
    assert np.array_equal(found[0], found[2])
    assert not np.allclose(found[0], found[1])


def test_the_published_layers_are_followed(folder):
    """The same numbers by the layers of torch, which keep query, key and value in one matrix."""
    held = load_file(folder / "model.safetensors")
    pieces = torch.tensor([[2, 4, 6, 9, 3]])
    at = held["embeddings.position_embeddings.weight"][:5] + held["embeddings.token_type_embeddings.weight"][0]
    norm = torch.nn.LayerNorm(8, eps=1e-12)
    norm.load_state_dict({k: held[f"embeddings.LayerNorm.{k}"] for k in ("weight", "bias")})
    x = norm(held["embeddings.word_embeddings.weight"][pieces] + at)
    for n in range(CONFIG["num_hidden_layers"]):
        x = _layer({k.removeprefix(f"encoder.layer.{n}."): v for k, v in held.items()})(x)
    mean = x.mean(1)
    assert encode(folder, ["red shoes"], length=16) == pytest.approx((mean / mean.norm()).detach().numpy(), abs=1e-5)


def _layer(held):
    layer = torch.nn.TransformerEncoderLayer(
        8, 2, 16, dropout=0, activation="gelu", layer_norm_eps=1e-12, batch_first=True
    )
    parts = ("query", "key", "value")
    layer.load_state_dict(
        {
            "self_attn.in_proj_weight": torch.cat([held[f"attention.self.{p}.weight"] for p in parts]),
            "self_attn.in_proj_bias": torch.cat([held[f"attention.self.{p}.bias"] for p in parts]),
            "self_attn.out_proj.weight": held["attention.output.dense.weight"],
            "self_attn.out_proj.bias": held["attention.output.dense.bias"],
            "linear1.weight": held["intermediate.dense.weight"],
            "linear1.bias": held["intermediate.dense.bias"],
            "linear2.weight": held["output.dense.weight"],
            "linear2.bias": held["output.dense.bias"],
            "norm1.weight": held["attention.output.LayerNorm.weight"],
            "norm1.bias": held["attention.output.LayerNorm.bias"],
            "norm2.weight": held["output.LayerNorm.weight"],
            "norm2.bias": held["output.LayerNorm.bias"],
        }
    )
    return layer


def test_progress_ends_at_the_whole(folder):
    told = []
    encode(folder, TEXTS, length=16, told=told.append)
    assert told[-1] == 1.0


def test_an_encoder_that_is_not_there_brings_the_command(tmp_path):
    with pytest.raises(BadData, match=r"lacks config\.json, vocab\.txt.*recloop data fetch all-minilm-l6-v2"):
        load(tmp_path)


def test_another_kind_of_model_is_refused(folder):
    (folder / "config.json").write_text(json.dumps(CONFIG | {"model_type": "gpt2"}))
    with pytest.raises(BadData, match="only bert"):
        load(folder)
