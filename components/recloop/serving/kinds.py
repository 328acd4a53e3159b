"""Kinds of request beside `for_you`: who proposes for which wish."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recloop.data.grouped import top
from recloop.models.ranked import permitted
from recloop.serving.bundle import Bundle
from recloop.serving.ranking import codes_of, for_you, left_out
from recloop.serving.routing import Latest, routed
from recloop.serving.shelves import Shelves
from recloop.serving.stages import Kind, Slate, Wanted
from recloop.serving.trending import Trend

F32 = NDArray[np.float32]
BASKET_WEIGHT = 1.0
"""of nearness to the basket, beside what the user would take anyway; both scaled to 0..1"""
OWN = 100
"""items of the model that a basket's neighbours are weighed against"""


def kinds(trend: Trend) -> dict[str, Kind]:
    """Name -> what proposes; trend knows what is taken now."""
    shelves, own = Latest(Shelves), routed()
    return {
        "for_you": own,
        "session": own,
        "similar": _each(lambda wanted: similar(wanted, shelves.of(wanted.question.serving.bundle))),
        "bought_together": _each(bought_together),
        "buy_again": _each(buy_again),
        "trending": _each(lambda wanted: trending(wanted, trend)),
        "rerank": _each(rerank),
        "complete_basket": _each(complete_basket),
    }


def similar(wanted: Wanted, shelves: Shelves) -> Slate:
    """Items that could stand in for the named ones: alike by category levels, brand and the model's vectors."""
    codes = codes_of(wanted, wanted.question.ask.items)
    every = np.arange(len(shelves.levels))
    likeness = shelves.likeness(codes, every) + 0.1 * (shelves.brands[codes][:, None] == shelves.brands[None])
    scores = likeness.max(axis=0)
    popular = np.log1p(wanted.question.serving.bundle.model.statistics.pop28)
    # equals come in the order of what sells
    scores = scores + 1e-2 * popular / max(float(popular.max()), 1.0)
    return _best(wanted, np.where(likeness.max(axis=0) > 0, scores, -np.inf), leaving=codes)


def bought_together(wanted: Wanted) -> Slate:
    """Items taken in the same visits as the named ones, by the sum of their similarities."""
    codes = codes_of(wanted, wanted.question.ask.items)
    near = nearness(wanted.question.serving.bundle, codes)
    return _best(wanted, np.where(near > 0, near, -np.inf), leaving=codes, source="item_knn")


def buy_again(wanted: Wanted) -> Slate:
    """What the user took before, in the order in which the model expects it next."""
    history = wanted.question.history
    mask = np.zeros(wanted.question.serving.bundle.model.n_codes, dtype=bool)
    mask[history.items] = True
    return for_you([_narrowed(wanted, mask)])[0] if len(history.items) else _nothing()


def trending(wanted: Wanted, trend: Trend) -> Slate:
    """What is taken more than usual now."""
    bundle = wanted.question.serving.bundle
    return _best(wanted, trend.scores(bundle, wanted.question.moment))


def rerank(wanted: Wanted) -> Slate:
    """The named items in the model's order; those of which it has no opinion last, in the order given."""
    given = codes_of(wanted, wanted.question.ask.items)
    mask = np.zeros(wanted.question.serving.bundle.model.n_codes, dtype=bool)
    mask[given] = True
    narrowed = _narrowed(wanted, mask)
    ranked = for_you([replace(narrowed, depth=len(given))])[0]
    allowed = permitted(len(mask), narrowed.allowed, left_out(wanted))
    rest = given[allowed[given] & ~np.isin(given, ranked.items)]
    below = ranked.scores.min(initial=0.0) - 1 - np.arange(len(rest), dtype=np.float32)
    unknown = sorted(set(wanted.question.ask.items) - set(wanted.question.serving.bundle.items.codes))
    return replace(
        ranked,
        items=np.concatenate([ranked.items, rest]).astype(np.int32),
        scores=np.concatenate([ranked.scores, below]).astype(np.float32),
        origins=np.concatenate([ranked.origins, np.zeros(len(rest), dtype=np.uint8)]),
        notes={"unknown": unknown} if unknown else {},
        labels=dict.fromkeys(rest.tolist(), ("given",)),
    )


def complete_basket(wanted: Wanted) -> Slate:
    """What goes with the basket, by nearness to its items and by what the user would take anyway."""
    basket = codes_of(wanted, wanted.question.ask.context.basket)
    own = for_you([replace(wanted, depth=max(wanted.depth, OWN))])[0]
    near = nearness(wanted.question.serving.bundle, basket)
    scores = BASKET_WEIGHT * near / max(float(near.max()), 1e-9)
    if len(own.items):
        span = max(float(np.ptp(own.scores)), 1e-9)
        scores[own.items] += (own.scores - own.scores.min()) / span
    return _best(wanted, np.where(scores > 0, scores, -np.inf), source="item_knn")


def nearness(bundle: Bundle, codes: NDArray[np.integer]) -> F32:
    """Sum of the similarities to the given items. [n_codes]"""
    knn = bundle.model.item_knn
    found = np.bincount(
        knn.neighbours[codes].ravel(), weights=knn.similarity[codes].ravel(), minlength=bundle.model.n_codes
    )
    found[0] = 0
    return found.astype(np.float32)


def _each(propose: Callable[[Wanted], Slate]) -> Kind:
    def every(wanted: Sequence[Wanted]) -> list[Slate]:
        return [propose(one) for one in wanted]

    return every


def _narrowed(wanted: Wanted, mask: NDArray[np.bool_]) -> Wanted:
    return replace(wanted, allowed=mask if wanted.allowed is None else mask & wanted.allowed)


def _nothing() -> Slate:
    return Slate(np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.uint8))


def _best(
    wanted: Wanted, scores: NDArray[np.floating], *, leaving: NDArray[np.int32] | None = None, source: str = ""
) -> Slate:
    """Scores of every item -> the best that are allowed. leaving: the items that were asked about. scores [n_codes]"""
    question = wanted.question
    served = question.serving.bundle.model
    mask = permitted(len(scores), wanted.allowed, left_out(wanted))
    if leaving is not None:
        mask[leaving] = False
    if question.ask.exclude_seen:
        mask[question.history.items] = False
    masked = np.where(mask, scores, -np.inf).astype(np.float32)[None]
    at = top(masked, wanted.depth)[0]
    items = at[np.isfinite(masked[0, at])].astype(np.int32)
    bit = 1 << served.sources.index(source) if source in served.sources else 0
    return Slate(items, masked[0, items], np.full(len(items), bit, dtype=np.uint8))
