"""The last hidden layer of the two-stage model's ranker, read from its weights with numpy alone: it serves without torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from recloop.errors import BadArtifact

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Representation:
    """Pair features -> the last hidden layer of the ranker."""

    mean: F32  # [n_features]
    scale: F32  # [n_features]
    layers: tuple[tuple[F32, F32], ...]  # weight [out, in], bias [out]; the hidden ones in order
    head: tuple[F32, F32]  # weight [hidden], bias [1]

    @classmethod
    def load(cls, folder: Path) -> "Representation":
        """Read ranker.safetensors of a model folder. Raises BadArtifact where there is no hidden layer."""
        path = folder / "ranker.safetensors"
        if not path.exists():
            raise BadArtifact(f"{path.name} is missing: only a model with a deep ranker has a last hidden layer.")
        weights = load_file(path)
        places = sorted(int(name.split(".")[1]) for name in weights if name.endswith(".weight"))
        if len(places) < 2:
            raise BadArtifact(f"{path.name} has {len(places)} layers; exploring needs a hidden one below the last.")
        pairs = [(weights[f"layers.{n}.weight"], weights[f"layers.{n}.bias"]) for n in places]
        return cls(weights["mean"], weights["scale"], tuple(pairs[:-1]), (pairs[-1][0][0], pairs[-1][1]))

    @property
    def width(self) -> int:
        """Hidden units of the last layer."""
        return len(self.head[0])

    def hidden(self, features: F32) -> F32:
        """[pairs, n_features] -> [pairs, width]."""
        found = (features - self.mean) * self.scale
        for weight, bias in self.layers:
            found = np.maximum(found @ weight.T + bias, 0)
        return found

    def logits(self, features: F32) -> F32:
        """What the ranker itself says: [pairs, n_features] -> [pairs]."""
        weight, bias = self.head
        found: F32 = self.hidden(features) @ weight + bias[0]
        return found
