"""A network of ratings, read and used by numpy: base prediction + ReLU layers over features, clipped to the scale."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from recloop import tensors
from recloop.models.rating import F32, F64, I64, Biases, Ratings, Sides
from recloop.models.rating_factors import Factors
from recloop.models.rating_features import Known, features

NET, STATE, SCALE = "dnn.safetensors", "ratings.safetensors", "ratings.json"


@dataclass(frozen=True)
class RatingNet:
    """Known ratings, what is known besides, and one or more networks whose outputs are averaged."""

    known: Known
    sides: Sides
    weights: dict[str, F32]
    scale: tuple[float, float]
    moods: str

    def predict(self, users: I64, items: I64, times: I64) -> F64:
        """The ratings expected, on the scale. [n]"""
        base, wide = features(self.known, self.sides, self.moods, users, items, times)
        inputs = (wide - self.weights["mean"]) / self.weights["deviation"]
        return np.clip(base + forward(self.weights, inputs, users, items), *self.scale)


def forward(weights: dict[str, F32], inputs: F32, users: I64, items: I64) -> F32:
    """Standardised features and codes -> what is added to the base. [n]"""
    state = np.column_stack([inputs, weights["users"][users], weights["items"][items]])
    depth = sum(name.startswith("layers.") for name in weights) // 2
    for layer in range(depth):
        state = state @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"]
        if layer < depth - 1:
            np.maximum(state, 0, out=state)
    return state[:, 0]


def save(model: RatingNet, out: Path) -> None:
    """Write dnn.safetensors, ratings.safetensors and ratings.json."""
    tensors.save(model.weights, out / NET)
    own, biases, factors = model.known.ratings, model.known.biases, model.known.factors
    arrays: dict[str, NDArray[np.generic]] = {
        "users": own.users,
        "items": own.items,
        "values": own.values,
        "times": own.times,
        "user_biases": biases.users,
        "item_biases": biases.items,
        "user_sides": model.sides.users,
        "item_sides": model.sides.items,
    }
    if factors is not None:
        arrays |= {"user_factors": factors.users, "item_factors": factors.items}
    tensors.save(arrays, out / STATE)
    (out / SCALE).write_text(
        json.dumps({"mean": biases.mean, "moods": model.moods, "scale": model.scale}, sort_keys=True)
    )


def load(folder: Path) -> RatingNet:
    """Read what `save` wrote."""
    found, facts = load_file(folder / STATE), json.loads((folder / SCALE).read_text())
    factors = None
    if "user_factors" in found:
        factors = Factors(facts["mean"], found["user_factors"], found["item_factors"])
    known = Known(
        Ratings(found["users"], found["items"], found["values"], found["times"]),
        Biases(facts["mean"], found["user_biases"], found["item_biases"]),
        factors,
    )
    sides = Sides(found["user_sides"], found["item_sides"])
    return RatingNet(known, sides, load_file(folder / NET), tuple(facts["scale"]), facts["moods"])
