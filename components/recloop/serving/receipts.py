"""What an answer says, and the record of it that the journal keeps."""

import hashlib
import os
from collections import deque
from math import isnan
from typing import Any

from recloop.serving.schemas import Ask
from recloop.serving.stages import Question, Serving, Slate

TRIED = ("experiments", "failed", "interleaved", "propensities", "pool")
"""entries of an answer that judge experiments, canaries and policies"""
LISTED = 200
"""ids of one list that an answer's record holds"""
DRAWN = 256
"""names of receipts that are drawn at once: each call of the system costs the server's loop its turn"""
BY_HISTORY = ("for_you", "session")
"""kinds that have only popular items for whom nothing is known of"""


_DRAWN: deque[str] = deque()


def _name() -> str:
    """128 random bits that nobody can guess."""
    while True:
        try:
            return _DRAWN.popleft()
        except IndexError:
            drawn = os.urandom(16 * DRAWN).hex()
            _DRAWN.extend(drawn[n : n + 32] for n in range(0, len(drawn), 32))


def receipt(serving: Serving, moment: int) -> dict[str, Any]:
    """How every answer begins: its own name, its release, its moment."""
    return {
        "receipt_id": _name(),
        "release": serving.digest,
        "generation": serving.generation,
        "time": moment,
        "policy": "top_k",
        "propensity": 1.0,
    }


def answer_of(question: Question, slate: Slate) -> dict[str, Any]:
    """Slate -> the answer, all but its milliseconds."""
    answer = receipt(question.serving, question.moment) | dict(slate.notes)
    answer["policy"], answer["propensity"] = slate.policy, slate.propensity
    answer["items"] = listed(question.serving, slate)
    if reason := _reason(question, slate):
        answer["reason"] = reason
    return answer


def listed(serving: Serving, slate: Slate) -> list[dict[str, Any]]:
    """Slate -> the items as an answer lists them."""
    names, served = serving.bundle.catalogue, serving.bundle.model
    prices, sources = served.statistics.price28, list(enumerate(served.sources))
    items = [
        {
            "rank": rank,
            "item_id": names.ids[code],
            "title": names.titles[code],
            "category": names.paths[code],
            "price": round(price, 2),
            "score": None if isnan(score) else round(score, 5),
            "origins": [name for bit, name in sources if origin >> bit & 1],
        }
        for rank, (code, price, score, origin) in enumerate(
            zip(
                slate.items.tolist(),
                prices[slate.items].tolist(),
                slate.scores.tolist(),
                slate.origins.tolist(),
                strict=True,
            ),
            start=1,
        )
    ]
    for place, code in enumerate(slate.items.tolist() if slate.labels else ()):
        if code in slate.labels:
            items[place]["rules"] = list(slate.labels[code])
    return items


def record_of(ask: Ask, answer: dict[str, Any]) -> dict[str, Any]:
    """Answer -> its record in the journal: with the release and the events before it, enough to give it again."""
    items = answer["items"]
    return {
        "kind": "answer",
        "user_id": ask.user_id,
        **{name: answer[name] for name in ("receipt_id", "time", "release", "generation", "policy", "propensity")},
        "items": [item["item_id"] for item in items],
        "scores": [item["score"] for item in items],
        "origins": ["+".join(item["origins"]) for item in items],
        "request": _shortened(ask.model_dump(exclude_defaults=True)),
        **(
            {"rules": ["+".join(item.get("rules", ())) for item in items]}
            if any("rules" in item for item in items)
            else {}
        ),
        **{name: answer[name] for name in TRIED if name in answer},
        "ms": answer["milliseconds"].get("total", 0.0),
    }


def without_pool(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as the caller gets it: what a policy drew from is of use in the journal alone."""
    return {name: value for name, value in answer.items() if name != "pool"}


def _reason(question: Question, slate: Slate) -> str | None:
    if not len(question.history.items) and question.ask.kind == "buy_again":
        return "This user took nothing yet: there is nothing to buy again."
    if not len(slate.items):
        return "No item passes the filters and exclusions."
    if not len(question.history.items) and question.ask.kind in BY_HISTORY:
        days = 7 if slate.notes.get("source") == "popularity_7" else 28
        return f"Nothing is known of this user yet: popular items of the last {days} days."
    return None


def _shortened(value: Any) -> Any:
    """Long lists (of stock, say) by their length and hash: an answer's record stays small."""
    if isinstance(value, dict):
        return {name: _shortened(part) for name, part in value.items()}
    if isinstance(value, list) and len(value) > LISTED:
        return {"count": len(value), "sha256": hashlib.sha256("\n".join(value).encode()).hexdigest()}
    return value
