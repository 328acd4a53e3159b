"""The protocol of a comparison: what was held out and how it was ranked. Its hash travels with every figure."""

import hashlib
import json
from dataclasses import asdict, dataclass

from recloop.errors import BadData


@dataclass(frozen=True)
class Protocol:
    """Two figures may stand in one table only where their protocols are equal."""

    kind: str
    """temporal or leave_last_out"""
    start: int
    """first moment of the test window, seconds since the epoch"""
    end: int
    k: int
    min_item_events: int
    """items with fewer events before the test are outside the vocabulary and count as missed"""
    candidates: str = "full catalogue"
    all: str = "every item taken in the window; items already taken may be recommended"
    new: str = "items never taken before by the user; items already taken are left out of the ranking"

    @property
    def hash(self) -> str:
        """Twelve hex digits of the protocol's content."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Benchmark(Protocol):
    """A protocol together with the data it is of: what two figures of a comparison must share to stand in one table."""

    data: str
    """fingerprint of events, catalogue and split, all folds"""
    folds: int = 1
    """windows of time that are averaged; each has a vocabulary and models of its own"""
    learnt: str
    """what models may learn from, and what they may be chosen by"""
    repeats: bool
    """whether items that a user already took may be recommended and are answers"""


def same(first: str, second: str) -> None:
    """Refuse to compare figures of different protocols. Raises BadData."""
    if first != second:
        raise BadData(
            f"Figures of protocol {first} and of {second} cannot stand in one table: they were measured on other windows, "
            "users or catalogues. Evaluate both models on one dataset."
        )
