"""The stage that keeps every answer to the merchandiser's rules."""

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recloop.config.merchandising import RulesConfig
from recloop.serving.bundle import Bundle
from recloop.serving.rules.compiled import Compiled
from recloop.serving.rules.inserting import inserted
from recloop.serving.rules.listing import listed
from recloop.serving.rules.occasion import Occasion, applies
from recloop.serving.rules.room import Limit, Room
from recloop.serving.stages import Question, Serving, Slate

DAY = 86_400
KEPT = 4
"""releases whose compiled rules are kept: the one that serves, its canary and shadow, the one before"""
CLOSED = ("rerank", "buy_again")
"""kinds whose lists hold nothing that was not proposed"""
BESIDE = ("similar", "bought_together")
"""kinds whose lists hold none of the items that they are about"""


class Newcomers(Protocol):
    """New items and what they were shown."""

    def due(self, bundle: Bundle, rules: RulesConfig, moment: int) -> NDArray[np.int32]:
        """Codes of new items behind their schedule, the most behind first."""


class Merchandising:
    """Masks before the candidates, then one pass over them. The rules are replaced whole.

    fixed: the scenario's rules, whose legal blocks hold beside any others.
    """

    name = "rules"

    def __init__(self, fixed: RulesConfig, newcomers: Newcomers) -> None:
        self.rules = self.fixed = fixed
        self.idle = fixed.idle
        """whether nothing is asked of an answer"""
        self.newcomers = newcomers
        self.ready: tuple[Compiled, ...] = ()

    def prepare(self, serving: Serving) -> None:
        """Compile the rules for a release before it serves."""
        if not self.idle:
            self.compiled(serving.bundle)

    def replace(self, rules: RulesConfig, bundle: Bundle | None) -> None:
        """Other rules from the next request on, compiled before that for the release that serves and those that are tried."""
        tried = [one.bundle for one in self.ready if one.bundle is not bundle]
        ready = tuple(Compiled(rules, self.fixed, held) for held in (bundle, *tried) if held is not None)
        self.rules, self.ready, self.idle = rules, ready, rules.idle and not self.fixed.legal

    def compiled(self, bundle: Bundle) -> Compiled:
        """The rules as they apply to a release."""
        rules = self.rules
        for one in self.ready:
            if one.bundle is bundle and one.rules is rules:
                return one
        made = Compiled(rules, self.fixed, bundle)
        self.ready = (made, *self.ready)[:KEPT]
        return made

    def permits(self, question: Question) -> NDArray[np.bool_] | None:
        """Mask of what no rule forbids; the same array for everybody whom the same rules are about."""
        if self.idle:
            return None
        compiled = self.compiled(question.serving.bundle)
        mask = compiled.permitted(compiled.active(occasion_of(question))).mask
        personal = _personal(self.rules, question)
        if not len(personal):
            return mask
        own = mask.copy()
        own[personal] = False
        return own

    def spare(self, question: Question) -> int:
        """The pool that caps, boosts and diversity choose from."""
        return max(0, self.rules.pool - question.k) if self.rules.arranging else 0

    def shape(self, question: Question, slate: Slate) -> Slate:
        """Pins, promotions and new items in their slots; the best of the pool under caps, boosts and diversity between."""
        allowed = self.permits(question)
        if allowed is None:
            return slate
        compiled, occasion = self.compiled(question.serving.bundle), occasion_of(question)
        slate, capped = slate.take(np.flatnonzero(allowed[slate.items])), 0
        if self.rules.arranging:
            slate, capped = self._arranged(compiled, occasion, question, slate, allowed)
        filtered = dict(compiled.permitted(compiled.active(occasion)).filtered)
        if personal := len(_personal(self.rules, question)):
            filtered["seen"] = personal
        told: dict[str, Any] = {"filtered": filtered} | ({"capped": capped} if capped else {})
        return replace(slate, notes={**slate.notes, "rules": told})

    def _arranged(
        self, compiled: Compiled, occasion: Occasion, question: Question, slate: Slate, allowed: NDArray[np.bool_]
    ) -> tuple[Slate, int]:
        """The list of k, and how many candidates a cap kept out."""
        room = Room(_asked(question, allowed, slate), _limits(compiled, occasion))
        due = self.newcomers.due(compiled.bundle, self.rules, question.moment)
        slots = inserted(compiled, occasion, question.k, room=room, due=due)
        return listed(compiled, occasion, slate, slots, room, question.k)


def occasion_of(question: Question) -> Occasion:
    """What the rules ask of a request."""
    ask = question.ask
    return Occasion(ask.kind, question.moment, ask.context.page, ask.context.device, ask.context.place)


def _personal(rules: RulesConfig, question: Question) -> NDArray[np.int32]:
    """Codes that the user took ever or lately, where the rules leave these out."""
    past = question.history
    since = question.moment - rules.seen_within_days * DAY
    lately = past.items[past.times >= since] if rules.seen_within_days else past.items[:0]
    ever = rules.exclude_seen and question.ask.kind != "buy_again"
    return np.unique(past.items if ever else lately)


def _asked(question: Question, allowed: NDArray[np.bool_], slate: Slate) -> NDArray[np.bool_]:
    """Mask of what may be inserted too: also by the request's own filters and exclusions."""
    ask, serving = question.ask, question.serving
    mask = allowed.copy()
    filters = serving.masks.of(ask.filters)
    if filters is not None:
        mask &= filters
    codes = serving.bundle.items.codes
    about = ask.items if ask.kind in BESIDE else ()
    mask[[codes.get(name, 0) for name in (*ask.left_out, *about)]] = False
    if ask.exclude_seen:
        mask[question.history.items] = False
    if ask.kind in CLOSED:
        proposed = np.zeros_like(mask)
        proposed[slate.items] = True
        mask &= proposed
    return mask


def _limits(compiled: Compiled, occasion: Occasion) -> tuple[Limit, ...]:
    caps = [cap for cap in compiled.rules.caps if applies(cap.when, occasion, untold=False)]
    return tuple(Limit(compiled.shelves.groups(cap.by), cap.at_most) for cap in caps)
