"""The kinds `for_you` and `session`: the release's router says who answers a user of whom so many events are known."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from recloop.models.ranked import Recommender, Source, permitted
from recloop.models.router import ALIKE, MODEL, sources_of
from recloop.models.served import Served
from recloop.serving.bundle import Bundle
from recloop.serving.ranking import for_you, left_out, slate_of
from recloop.serving.stages import Kind, Question, Slate, Wanted

T = TypeVar("T")
KEPT = 3
SPARSE = "item_knn"
"""the source that may know fewer items than are wanted"""


class Latest(Generic[T]):
    """Something made of a release, kept for the releases that were asked last: champion, canary, shadow."""

    def __init__(self, make: Callable[[Bundle], T]) -> None:
        self.make = make
        self.held: list[tuple[Bundle, T]] = []

    def of(self, bundle: Bundle) -> T:
        """What was made of this bundle."""
        for known, made in self.held:
            if known is bundle:
                return made
        made = self.make(bundle)
        self.held = [(bundle, made), *self.held][:KEPT]
        return made


def routed() -> Kind:
    """The model for most; another source where the evaluation found it better for so short a history."""
    latest = Latest(lambda bundle: sources_of(bundle.model))

    def propose(wanted: Sequence[Wanted]) -> list[Slate]:
        names = [one.question.serving.bundle.router.source(len(one.question.history.items)) for one in wanted]
        own = [n for n, name in enumerate(names) if name == MODEL]
        slates = dict(zip(own, for_you([wanted[n] for n in own]), strict=True))
        for n, name in enumerate(names):
            if name != MODEL:
                source = _source(name, wanted[n].question, latest)
                slates[n] = replace(_from(source, name, wanted[n]), notes={"source": name})
        return [slates[n] for n in range(len(wanted))]

    return propose


def _source(name: str, question: Question, latest: Latest[dict[str, Recommender | Served]]) -> Source:
    alike = question.serving.bundle.model.alike
    if name == ALIKE and alike is not None:
        return alike.of([question.ask.user_id])
    return latest.of(question.serving.bundle)[name]


def _from(source: Source, name: str, wanted: Wanted) -> Slate:
    question = wanted.question
    served, history, seen = question.serving.bundle.model, question.history, question.ask.exclude_seen
    exclude = left_out(wanted)
    found = source.recommend(history, k=wanted.depth, exclude_seen=seen, allowed=wanted.allowed, exclude=exclude)
    if name == SPARSE:
        mask = permitted(served.n_codes, wanted.allowed, exclude)
        found = served.filled(found, history, mask, exclude_seen=seen)
    return slate_of(found, 0)
