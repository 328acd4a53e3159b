"""Two answers to one question -> one list, of which each item says which release put it there."""

from typing import Any

import numpy as np

from recloop.evaluation.experiments.interleaving import draft


def interleaved(own: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The answer of what serves with a team draft of both lists, as long as the longer one.

    `interleaved`: the other release, and the team of each item (1: the other's). This is the one answer that holds items of
    two releases; its coins come from the receipt's id, so that it can be drafted again.
    """
    known = {item["item_id"]: item for answer in (other, own) for item in answer["items"]}
    first, second = ([item["item_id"] for item in answer["items"]] for answer in (own, other))
    rng = np.random.default_rng(int(own["receipt_id"], 16))
    drafted = draft(first, second, k=max(len(first), len(second)), rng=rng)
    items = [known[name] | {"rank": rank} for rank, name in enumerate(drafted.items, start=1)]
    note = {"with": other["release"], "teams": list(drafted.teams)}
    return own | {"items": items, "interleaved": note, "policy": "team_draft"}
