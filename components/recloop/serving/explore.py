"""A ranking and a policy -> what is shown, with the chance that each place had."""

from dataclasses import replace
from typing import Any

import numpy as np

from recloop.bandits.policies import Policy
from recloop.serving.stages import Question, Slate

POOL = 30
"""the best proposals, of which a policy shows some"""


def explored(question: Question, slate: Slate, policy: Policy, name: str, rng: np.random.Generator) -> Slate:
    """Proposals, best first -> k of the first POOL as the policy draws them, then the rest for the stages that follow.

    Notes: `propensities` of the places, each given the items above it, and the `pool` that they were drawn from with its
    scores: with them a log can be judged under any other policy (`recloop.bandits.slates`).
    """
    pool = slate.take(np.arange(min(max(POOL, question.k), len(slate.items))))
    if not len(pool.items):
        return slate
    drawn = policy.choose(pool.scores[None].astype(np.float64), min(question.k, len(pool.items)), rng)
    chances = drawn.propensities[0]
    names = question.serving.bundle.catalogue.ids
    notes = {
        "propensities": chances.round(9).tolist(),
        "pool": {
            "items": [names[code] for code in pool.items.tolist()],
            "scores": pool.scores.tolist(),
            "drawn": [names[code] for code in pool.items[drawn.places[0]].tolist()],
        },
    }
    rest = np.setdiff1d(np.arange(len(pool.items)), drawn.places[0])
    shown = pool.take(np.concatenate([drawn.places[0], rest]))
    return replace(shown, policy=name, propensity=float(chances.prod()), notes={**slate.notes, **notes})


def honest(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without its propensities, where a later stage changed what was drawn: nobody knows their chance."""
    pool = answer.get("pool")
    if pool is None or pool["drawn"] == [item["item_id"] for item in answer["items"]]:
        return answer
    known = {name: value for name, value in answer.items() if name not in {"pool", "propensities"}}
    return known | {"propensity": None}
