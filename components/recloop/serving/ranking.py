"""The kind `for_you`: the release's model ranks for many questions at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recloop.data.histories import stacked
from recloop.models.ranked import Ranked
from recloop.serving.stages import Slate, Wanted


def for_you(wanted: Sequence[Wanted]) -> list[Slate]:
    """Wanted -> slates in the same order; questions that share all but the user are one call of the model."""
    groups: dict[Any, list[int]] = {}
    for n, one in enumerate(wanted):
        groups.setdefault(_alike(one), []).append(n)
    slates: list[Slate | None] = [None] * len(wanted)
    for places in groups.values():
        for n, slate in zip(places, _together([wanted[n] for n in places]), strict=True):
            slates[n] = slate
    return [slate for slate in slates if slate is not None]


def _alike(one: Wanted) -> tuple[Any, ...]:
    """Equal for questions that one call of the model answers: no answer depends on who else asks."""
    ask = one.question.ask
    return id(one.question.serving), one.depth, ask.exclude_seen, id(one.allowed), tuple(ask.left_out)


def _together(wanted: list[Wanted]) -> list[Slate]:
    first = wanted[0].question
    found = first.serving.bundle.model.recommend(
        stacked([one.question.history for one in wanted]),
        k=wanted[0].depth,
        exclude_seen=first.ask.exclude_seen,
        allowed=wanted[0].allowed,
        exclude=left_out(wanted[0]),
    )
    return [slate_of(found, row) for row in range(len(wanted))]


def codes_of(wanted: Wanted, items: Sequence[str]) -> NDArray[np.int32]:
    """Codes of the items that the release knows, each once, in the order given."""
    known = wanted.question.serving.bundle.items.codes
    return np.array(list(dict.fromkeys(known[item] for item in items if item in known)), dtype=np.int32)


def left_out(wanted: Wanted) -> NDArray[np.int32]:
    """Codes that the request leaves out."""
    return codes_of(wanted, wanted.question.ask.left_out)


def slate_of(found: Ranked, row: int) -> Slate:
    """One row as a slate."""
    kept = np.flatnonzero(found.items[row])
    return Slate(found.items[row, kept], found.scores[row, kept], found.origins[row, kept])
