"""Calibration: how often happens what a model gives a probability (Niculescu-Mizil and Caruana 2005)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Bin:
    """Pairs of about equal probability."""

    predicted: float
    """mean probability"""
    observed: float
    """share that happened"""
    n: int


def calibration(logits: NDArray[np.float32], happened: NDArray[np.bool_], *, bins: int = 10) -> tuple[Bin, ...]:
    """Logits and outcomes [pairs] -> bins of equally many pairs, lowest probability first; fewer where pairs are few."""
    if not len(logits):
        return ()
    order = np.argsort(logits, kind="stable")
    probability = 1 / (1 + np.exp(-logits[order].astype(np.float64)))
    starts = np.unique(np.arange(bins) * len(order) // bins)
    n = np.diff(np.append(starts, len(order)))
    predicted = np.add.reduceat(probability, starts) / n
    observed = np.add.reduceat(happened[order].astype(np.float64), starts) / n
    return tuple(Bin(float(p), float(o), int(size)) for p, o, size in zip(predicted, observed, n, strict=True))
