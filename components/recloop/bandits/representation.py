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
    """Pair features -> the last hidden layers of the ranker's members, side by side."""

    mean: F32  # [n_features]
    scale: F32  # [n_features]
    members: tuple[tuple[tuple[F32, F32], ...], ...]  # of each: weight [out, in], bias [out]; the hidden ones in order
    head: tuple[F32, F32]  # weight [width], bias [1]

    @classmethod
    def load(cls, folder: Path) -> "Representation":
        """Read ranker.safetensors of a model folder. Raises BadArtifact where there is no hidden layer."""
        path = folder / "ranker.safetensors"
        if not path.exists():
            raise BadArtifact(f"{path.name} is missing: only a model with a deep ranker has a last hidden layer.")
        weights = load_file(path)
        names = [name.split(".") for name in weights if name.startswith("members.")]
        places = sorted({(int(name[1]), int(name[2])) for name in names})
        count = len({member for member, _ in places})
        if len(places) < 2 * count or not count:
            raise BadArtifact(f"{path.name} has {len(places)} layers; exploring needs a hidden one below the last.")
        pairs = {(m, n): (weights[f"members.{m}.{n}.weight"], weights[f"members.{m}.{n}.bias"]) for m, n in places}
        own = [[pairs[place] for place in places if place[0] == member] for member in range(count)]
        for layers, sees in zip(own, weights["sees"], strict=True):
            layers[0] = (layers[0][0] * sees, layers[0][1])
        # the mean of the members' logits is one head over all their hidden units
        head = (np.concatenate([layers[-1][0][0] for layers in own]) / count).astype(np.float32)
        bias = np.mean([layers[-1][1] for layers in own], axis=0).astype(np.float32)
        return cls(weights["mean"], weights["scale"], tuple(tuple(layers[:-1]) for layers in own), (head, bias))

    @property
    def width(self) -> int:
        """Hidden units of the last layers."""
        return len(self.head[0])

    def hidden(self, features: F32) -> F32:
        """[pairs, n_features] -> [pairs, width]."""
        standard = (features - self.mean) * self.scale
        return np.concatenate([_last(standard, layers) for layers in self.members], axis=1)

    def logits(self, features: F32) -> F32:
        """What the ranker itself says: [pairs, n_features] -> [pairs]."""
        weight, bias = self.head
        found: F32 = self.hidden(features) @ weight + bias[0]
        return found


def _last(found: F32, layers: tuple[tuple[F32, F32], ...]) -> F32:
    for weight, bias in layers:
        found = np.maximum(found @ weight.T + bias, 0)
    return found
