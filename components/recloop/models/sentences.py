"""Texts -> vectors by a sentence encoder of the BERT kind, such as all-MiniLM-L6-v2 (Wang et al. 2020), with torch.

A folder holds config.json, vocab.txt and model.safetensors, as sentence-transformers keeps them; nothing else is read.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from recloop.errors import BadData
from recloop.models.wordpiece import WordPiece

FILES = ("config.json", "vocab.txt", "model.safetensors")
TOKENS = 4096
"""of a batch, padding included"""
F32 = NDArray[np.float32]


class Layer(nn.Module):
    """Attention and feed-forward part, each with a shortcut that is normed afterwards."""

    def __init__(self, width: int, heads: int, inner: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.mixed, self.wide, self.narrow = nn.Linear(width, width), nn.Linear(width, inner), nn.Linear(inner, width)
        self.after_attention, self.after_all = nn.LayerNorm(width, eps=eps), nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [texts, length, width], mask [texts, 1, 1, length] true at pieces -> the same shape as x."""
        q, k, v = (
            part(x).unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value)
        )  # [texts, heads, length, width / heads]
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)
        x = self.after_attention(x + self.mixed(seen))
        normed: Tensor = self.after_all(x + self.narrow(F.gelu(self.wide(x))))
        return normed


class SentenceEncoder(nn.Module):
    """Numbers of pieces -> the normed mean of the last layer."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, eps = config["hidden_size"], config["layer_norm_eps"]
        self.words = nn.Embedding(config["vocab_size"], width)
        self.places = nn.Embedding(config["max_position_embeddings"], width)
        self.kinds = nn.Embedding(config["type_vocab_size"], width)
        self.norm = nn.LayerNorm(width, eps=eps)
        layer = (width, config["num_attention_heads"], config["intermediate_size"], eps)
        self.layers = nn.ModuleList(Layer(*layer) for _ in range(config["num_hidden_layers"]))

    def forward(self, pieces: Tensor, mask: Tensor) -> Tensor:
        """pieces, mask (true at pieces) [texts, length] -> [texts, width]"""
        places = torch.arange(pieces.shape[1])
        x = self.norm(self.words(pieces) + self.places(places) + self.kinds(torch.zeros_like(pieces)))
        for layer in self.layers:
            x = layer(x, mask[:, None, None])
        total = (x * mask[:, :, None]).sum(1)
        return F.normalize(total / mask.sum(1, keepdim=True), dim=1)


def load(folder: Path) -> tuple[SentenceEncoder, WordPiece]:
    """Folder -> the encoder and its pieces. Raises BadData where a file is missing or of another kind of model."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise BadData(
            f"The sentence encoder {folder} lacks {', '.join(missing)}. Fetch one: recloop data fetch all-minilm-l6-v2"
        )
    config = json.loads((folder / "config.json").read_text())
    if config.get("model_type") != "bert":
        raise BadData(f"{folder} holds a model of the kind {config.get('model_type')!r}; only bert is read.")
    net = SentenceEncoder(config)
    held = load_file(folder / "model.safetensors")
    net.load_state_dict({ours: held[theirs] for ours, theirs in _names(net).items()})
    return net.eval(), WordPiece.load(folder / "vocab.txt")


def encode(folder: Path, texts: Sequence[str], *, length: int, told: Callable[[float], None] | None = None) -> F32:
    """Texts -> unit vectors; equal texts are read once. [texts, width]"""
    net, pieces = load(folder)
    distinct = sorted(set(texts))
    numbers = [pieces.encode(text, length=length) for text in distinct]
    order = sorted(range(len(distinct)), key=lambda at: (len(numbers[at]), at))
    out = np.zeros((len(distinct), net.words.embedding_dim), dtype=np.float32)
    done = 0
    with torch.inference_mode():
        while done < len(order):
            longest = len(numbers[order[min(done + TOKENS // 8, len(order)) - 1]])
            batch = order[done : done + max(1, TOKENS // longest)]
            out[batch] = net(*_padded([numbers[at] for at in batch])).numpy()
            done += len(batch)
            if told:
                told(done / len(order))
    at = {text: n for n, text in enumerate(distinct)}
    return out[[at[text] for text in texts]]


def _padded(numbers: list[list[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, numbers))
    pieces = torch.tensor([row + [0] * (longest - len(row)) for row in numbers])
    mask = torch.arange(longest)[None] < torch.tensor([[len(row)] for row in numbers])
    return pieces, mask


def _names(net: SentenceEncoder) -> dict[str, str]:
    """Our names of the weights -> those of the published files."""
    outer = {
        "words": "embeddings.word_embeddings",
        "places": "embeddings.position_embeddings",
        "kinds": "embeddings.token_type_embeddings",
        "norm": "embeddings.LayerNorm",
    }
    inner = {
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "mixed": "attention.output.dense",
        "after_attention": "attention.output.LayerNorm",
        "wide": "intermediate.dense",
        "narrow": "output.dense",
        "after_all": "output.LayerNorm",
    }
    found = {}
    for name in net.state_dict():
        if name.startswith("layers."):
            _, number, part, kind = name.split(".")
            found[name] = f"encoder.layer.{number}.{inner[part]}.{kind}"
        else:
            part, kind = name.split(".")
            found[name] = f"{outer[part]}.{kind}"
    return found
