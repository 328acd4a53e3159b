"""A slate of candidates and the slots that rules fill -> the list, and what each item owes to which rule."""

from dataclasses import replace

import numpy as np

from recloop.config.merchandising import Boost
from recloop.serving.rules.arranging import NOBODY, Arranged, Pool, arrange
from recloop.serving.rules.compiled import Compiled, Mask
from recloop.serving.rules.inserting import Inserted
from recloop.serving.rules.occasion import Occasion, applies
from recloop.serving.rules.room import Room
from recloop.serving.stages import Slate

Slots = dict[int, Inserted]


def listed(compiled: Compiled, occasion: Occasion, slate: Slate, slots: Slots, room: Room, k: int) -> tuple[Slate, int]:
    """At most k items, and how many candidates a cap kept out."""
    codes = [one.code for one in slots.values()]
    own = slate.take(np.flatnonzero(~np.isin(slate.items, codes))) if codes else slate
    boosts = [(rule, mask) for rule, mask in compiled.boosts if applies(rule.when, occasion, untold=False)]
    pool = _pool(compiled, boosts, own)
    budgets = tuple(int(rule.share * k + 1e-9) for rule, _ in boosts)
    found = arrange(pool, room, slots=k - len(slots), budgets=budgets, diversity=compiled.rules.diversity)
    labels = dict(slate.labels) | _labels(found, pool, [rule for rule, _ in boosts])
    labels |= {one.code: (one.label,) for one in slots.values()}
    return replace(_merged([int(own.items[at]) for at in found.places], slate, slots, k), labels=labels), found.capped


def _pool(compiled: Compiled, boosts: list[tuple[Boost, Mask]], own: Slate) -> Pool:
    """Candidates as the pass sees them; of two boosts about one item the stronger counts."""
    lifts, which = np.zeros(len(own.items), dtype=np.float32), np.full(len(own.items), NOBODY)
    for n, (rule, mask) in enumerate(boosts):
        lifted = mask[own.items] & (lifts < rule.strength)
        lifts[lifted], which[lifted] = rule.strength, n
    return Pool(own.items, own.scores, lifts, which, compiled.shelves if compiled.rules.diversity else None)


def _labels(found: Arranged, pool: Pool, boosts: list[Boost]) -> dict[int, tuple[str, ...]]:
    return {int(pool.codes[at]): (f"boosted:{boosts[pool.boosts[at]].name}",) for at in sorted(found.boosted)}


def _merged(chosen: list[int], slate: Slate, slots: Slots, k: int) -> Slate:
    """What is inserted at its place, what was chosen between. An inserted item keeps its score; nan where it has none."""
    rest = iter(chosen)
    order = [slots[place].code if place in slots else next(rest, 0) for place in range(k)]
    known = dict(
        zip(slate.items.tolist(), zip(slate.scores.tolist(), slate.origins.tolist(), strict=True), strict=True)
    )
    rows = [(code, *known.get(code, (np.nan, 0))) for code in order if code]
    items, scores, origins = zip(*rows, strict=True) if rows else ((), (), ())
    return replace(
        slate,
        items=np.array(items, dtype=np.int32),
        scores=np.array(scores, dtype=np.float32),
        origins=np.array(origins, dtype=np.uint8),
    )
