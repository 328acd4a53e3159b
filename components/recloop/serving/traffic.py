"""Which release and which policy answers a request, and what its record says of it."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from recloop.bandits.policies import policy
from recloop.evaluation.experiments.assignment import held_out, variant_of
from recloop.evaluation.experiments.design import Running, Variant
from recloop.serving.experiment import Experiments, releases
from recloop.serving.explore import POOL, explored
from recloop.serving.rollout import CANARY, Rollout
from recloop.serving.schemas import Ask
from recloop.serving.stages import Question, Serving, Slate

Assigned = tuple[tuple[str, Variant], ...]
"""experiment -> variant"""
EXPLORES = "for_you"


class Traffic:
    """A stage of every answer, and what chooses its release. Users without an id are in no experiment.

    Users of an experiment that compares releases are in no canary, so that each compares two releases alone.
    """

    name = "experiments"

    def __init__(self, experiments: Experiments, *, holdout: float, rng: np.random.Generator) -> None:
        self.experiments, self.holdout, self.rng = experiments, holdout, rng
        self.canary: Rollout | None = None
        self._known = lru_cache(maxsize=65_536)(self._assigned)
        experiments.changed = self.refresh

    def refresh(self) -> None:
        """Forget who is where: an experiment began or ended."""
        self._known.cache_clear()

    def try_out(self, canary: Rollout | None) -> None:
        """From the next request on, give the canary's users its release; None ends it."""
        self.canary = canary
        self.refresh()

    def assigned(self, user: str | None) -> Assigned:
        """The user's variants."""
        return () if user is None else self._known(user)

    def choose(self, ask: Ask, serving: Serving) -> Serving:
        """The release of the user's variant; else the one that serves."""
        loaded = self.experiments.others.loaded
        for _, variant in self.assigned(ask.user_id):
            if variant.release and not variant.interleave:
                return loaded.get(variant.release, serving)
        return serving

    def partner(self, ask: Ask) -> Serving | None:
        """The release with which the user's list is drafted; None for whom one release answers alone."""
        if ask.kind != EXPLORES:
            return None
        drafted = (variant.release for _, variant in self.assigned(ask.user_id) if variant.interleave)
        return self.experiments.others.loaded.get(next(drafted, ""))

    def permits(self, question: Question) -> NDArray[np.bool_] | None:
        """Minds nothing."""
        return None

    def spare(self, question: Question) -> int:
        """A pool to explore, for those who explore."""
        return max(POOL - question.k, 0) if self._policy(question) else 0

    def shape(self, question: Question, slate: Slate) -> Slate:
        """Explore where the user's variant says so, and note the exposures."""
        given = self.assigned(question.ask.user_id)
        if not given:
            return slate
        name = self._policy(question)
        shown = explored(question, slate, policy(name), name, self.rng) if name else slate
        return replace(shown, notes={**shown.notes, "experiments": {one: variant.name for one, variant in given}})

    def _policy(self, question: Question) -> str:
        if question.ask.kind != EXPLORES:
            return ""
        return next((v.policy for _, v in self.assigned(question.ask.user_id) if v.policy), "")

    def _assigned(self, user: str) -> Assigned:
        if held_out(user, self.holdout):
            return ()
        found = [(one, variant) for one in self.experiments.active if (variant := variant_of(one, user))]
        given = tuple((one.design.name, variant) for one, variant in found)
        if self.canary and not any(releases(one) for one, _ in found):
            return (*given, *_arm(self.canary, user))
        return given


def _arm(canary: Rollout, user: str) -> Assigned:
    running: Running = canary.running
    variant = variant_of(running, user)
    if variant is None:
        return ()
    release = canary.release if variant.name == CANARY else ""
    return ((running.design.name, variant.model_copy(update={"release": release})),)
