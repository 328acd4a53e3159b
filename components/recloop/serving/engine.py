"""From a question to an answer with its receipt; every answer comes from exactly one release."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recloop.errors import BadRequest, Unavailable
from recloop.models.laps import measured
from recloop.serving.asked import Asked
from recloop.serving.bundle import Bundle
from recloop.serving.kinds import kinds
from recloop.serving.needs import UnknownItem, check
from recloop.serving.receipts import answer_of, record_of
from recloop.serving.schemas import Ask
from recloop.serving.stages import Kind, Question, Serving, Slate, Stage, Wanted, ready
from recloop.serving.state import State
from recloop.serving.trending import Trend

__all__ = ["Engine", "NoRelease", "Serving", "UnknownItem", "record_of"]

Milliseconds = dict[str, float]


class NoRelease(Unavailable):
    """Nothing was released yet."""


class Engine:
    """Answers from the release that serves now: `wanted`, then `proposed` (many at once), then `answered`.

    stages: what permits and shapes proposals, in order. kinds: what proposes, by name. choose: which release answers a
    request, given the one that serves. partner: the release whose list is interleaved with that. observers: told of each
    answer. preparations: told of a release before it serves.
    """

    def __init__(
        self, state: State, *, k: int, max_k: int, stages: Sequence[Stage] = (Asked(),), trend: Trend | None = None
    ) -> None:
        self.state, self.k, self.max_k, self.stages = state, k, max_k, tuple(stages)
        self.trend = trend or Trend()
        self.kinds: dict[str, Kind] = kinds(self.trend)
        self.choose: Callable[[Ask, Serving], Serving] = _champion
        self.partner: Callable[[Ask], Serving | None] = _nobody
        self.observers: list[Callable[[Question, dict[str, Any]], None]] = []
        self.preparations: list[Callable[[Serving], None]] = []
        self.serving: Serving | None = None
        self.swaps = 0

    def swap(self, bundle: Bundle, *, digest: str, generation: int) -> None:
        """Serve another release from the next request on."""
        self.serving = ready(bundle, digest, generation, self.preparations)
        self.swaps += 1

    def recommend(self, ask: Ask, *, now: float) -> dict[str, Any]:
        """Question -> answer. Raises NoRelease, BadRequest."""
        wanted, spent = self.wanted(ask, now=now)
        slates, laps = self.proposed([wanted])
        return self.answered(wanted, slates[0], spent | laps)

    def wanted(self, ask: Ask, *, now: float, serving: Serving | None = None) -> tuple[Wanted, Milliseconds]:
        """Request -> what is to be proposed, and what it took; `serving` answers in place of the release that `choose` names.

        Raises NoRelease, BadRequest.
        """
        start = time.perf_counter()
        serving = serving or self.choose(ask, self._serving())
        check(ask, serving.bundle)
        user = None if ask.kind == "session" else ask.user_id
        session = [*ask.session, *ask.context.basket]
        history = self.state.history(serving.bundle, user, session, _seen_from(now, ask.context.time))
        moment = int(now if ask.context.time is None else ask.context.time)
        question = Question(ask, serving, self._k(_asked(ask)), now, moment, history)
        depth = question.k + max((stage.spare(question) for stage in self.stages), default=0)
        made = Wanted(question, depth, self._allowed(question))
        return made, {"history": _ms(start)}

    def proposed(self, wanted: Sequence[Wanted]) -> tuple[list[Slate], Milliseconds]:
        """Wanted -> slates, and the milliseconds of each part of the work, which all of them shared."""
        slates: dict[int, Slate] = {}
        with measured() as laps:
            for kind, places in _by_kind(wanted).items():
                slates |= zip(places, self.kinds[kind]([wanted[n] for n in places]), strict=True)
        spent = {name: round(1000 * seconds, 3) for name, seconds in laps.items()}
        return [slates[n] for n in range(len(wanted))], spent

    def answered(self, wanted: Wanted, slate: Slate, spent: Milliseconds) -> dict[str, Any]:
        """Slate -> the answer with its receipt; observers hear of it."""
        question, spent = wanted.question, dict(spent)
        for stage in self.stages:
            start = time.perf_counter()
            slate = stage.shape(question, slate)
            spent[stage.name] = _ms(start)
        answer = answer_of(question, slate.take(np.arange(min(question.k, len(slate.items)))))
        answer["milliseconds"] = spent
        for observer in self.observers:
            observer(question, answer)
        return answer

    def similar(self, item: str, *, k: int | None, now: float) -> dict[str, Any]:
        """Items bought together with one item, as the kind of that name gives them. Raises NoRelease, UnknownItem, BadRequest."""
        return self.recommend(Ask(kind="bought_together", items=[item], k=k), now=now)

    def history(self, user: str, *, now: float, at: float | None, limit: int) -> dict[str, Any]:
        """The newest events of a user, newest first, as the engine sees them `at` a moment. Raises NoRelease."""
        serving = self._serving()
        past = self.state.history(serving.bundle, user, [], _seen_from(now, at))
        names = serving.bundle.catalogue
        newest = range(len(past.items) - 1, max(-1, len(past.items) - 1 - limit), -1)
        events = [
            {
                "item_id": names.ids[past.items[n]],
                "title": names.titles[past.items[n]],
                "category": names.paths[past.items[n]],
                "time": int(past.times[n]),
                "price": round(float(past.prices[n]), 2),
                "quantity": float(past.quantities[n]),
            }
            for n in newest
        ]
        return {"user_id": user, "events": len(past.items), "newest": events}

    def _allowed(self, question: Question) -> NDArray[np.bool_] | None:
        masks = [mask for stage in self.stages if (mask := stage.permits(question)) is not None]
        return masks[0] if len(masks) == 1 else np.logical_and.reduce(masks) if masks else None

    def _serving(self) -> Serving:
        if self.serving is None:
            raise NoRelease(
                "There is no release yet. Train and release one: `recloop run`, or the DAG train_recommender."
            )
        return self.serving

    def _k(self, k: int | None) -> int:
        if k is not None and k > self.max_k:
            raise BadRequest(f"k is {k}; at most {self.max_k} items are given (serving.max_k).", field="k")
        return self.k if k is None else k


def _by_kind(wanted: Sequence[Wanted]) -> dict[str, list[int]]:
    """Places of the questions of each kind."""
    places: dict[str, list[int]] = {}
    for n, one in enumerate(wanted):
        places.setdefault(one.question.ask.kind, []).append(n)
    return places


def _asked(ask: Ask) -> int | None:
    """Items that the caller wants; a list that is to be brought into order comes back whole."""
    return len(ask.items) if ask.kind == "rerank" and ask.k is None else ask.k


def _nobody(_: Ask) -> None:
    return None


def _champion(_: Ask, serving: Serving) -> Serving:
    return serving


def _seen_from(now: float, at: float | None) -> int:
    """The moment before which events count: one that the caller names, or just after now."""
    return int(now) + 1 if at is None else int(at)


def _ms(start: float) -> float:
    return round(1000 * (time.perf_counter() - start), 3)
