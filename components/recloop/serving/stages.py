"""What the stages of an answer hand on: question -> wanted -> slate -> answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recloop.data.histories import Histories
from recloop.serving.bundle import Bundle
from recloop.serving.filters import Masks
from recloop.serving.schemas import Ask


@dataclass(frozen=True)
class Serving:
    """A release that serves, with what is derived from it. Replaced whole: a request sees one or the other."""

    bundle: Bundle
    digest: str
    generation: int
    masks: Masks


def ready(bundle: Bundle, digest: str, generation: int, preparations: Sequence[Callable[[Serving], None]]) -> Serving:
    """Bundle -> Serving that every preparation was told of: what a release must be before it answers."""
    serving = Serving(bundle, digest, generation, Masks(bundle))
    for prepare in preparations:
        prepare(serving)
    return serving


@dataclass(frozen=True)
class Question:
    """One request with what is known of its user. It keeps its release to the end, whatever is swapped meanwhile."""

    ask: Ask
    serving: Serving
    k: int
    now: float
    """the service's clock, seconds since the epoch"""
    moment: int
    """the moment the answer is for: now, or one that the caller names"""
    history: Histories
    """one row"""


@dataclass(frozen=True)
class Wanted:
    """What a kind of request is asked to propose for one question."""

    question: Question
    depth: int
    """items; at least question.k"""
    allowed: NDArray[np.bool_] | None
    """mask of item codes that every stage permits; None permits all"""


@dataclass(frozen=True)
class Slate:
    """Proposed items, best first, and what the receipt says of how they came about."""

    items: NDArray[np.int32]  # [n] codes, never padding
    scores: NDArray[np.float32]  # [n]
    origins: NDArray[np.uint8]  # [n] bits of the model's sources
    policy: str = "top_k"
    propensity: float = 1.0
    notes: Mapping[str, Any] = field(default_factory=dict)
    """further entries of the answer, by name"""
    labels: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """by item code: the rules to which an item owes its place"""

    def take(self, places: NDArray[np.integer]) -> "Slate":
        """The items at the given places, in that order."""
        chosen = self.items[places], self.scores[places], self.origins[places]
        return Slate(*chosen, self.policy, self.propensity, self.notes, self.labels)


class Stage(Protocol):
    """One step between the candidates and the answer. Called from the server's loop: microseconds, no waiting."""

    name: str
    """its entry in the receipt's milliseconds"""

    def permits(self, question: Question) -> NDArray[np.bool_] | None:
        """Mask of item codes that may be proposed at all; None where it minds none. The same array for the same wish."""

    def spare(self, question: Question) -> int:
        """Items beyond question.k that it wants to choose from."""

    def shape(self, question: Question, slate: Slate) -> Slate:
        """Proposals -> what goes on to the next stage; the engine cuts the last one to question.k."""


Kind = Callable[[Sequence[Wanted]], list[Slate]]
"""proposes for many questions of one release at once; may run in another thread than the server's loop"""
