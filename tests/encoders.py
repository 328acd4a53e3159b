"""A sentence encoder of a few weights in the published form, for tests."""

import json

import torch
from safetensors.torch import save_file

from recloop.models.sentences import SentenceEncoder, _names

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "shoe", "hat", ",", "##s"]
CONFIG = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "vocab_size": len(WORDS),
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
}


def write_encoder(folder):
    """Files of an encoder with weights drawn by a fixed seed."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    net = SentenceEncoder(CONFIG)
    held = net.state_dict()
    save_file({theirs: held[ours].contiguous() for ours, theirs in _names(net).items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    return folder
