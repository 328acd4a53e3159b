"""From a question to an answer with its receipt; every answer comes from exactly one release."""

import hashlib
import time
import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np

from recloop.data.histories import Histories
from recloop.errors import BadRequest, Unavailable
from recloop.models.ranked import Ranked
from recloop.serving.bundle import Bundle
from recloop.serving.filters import Masks
from recloop.serving.schemas import Ask
from recloop.serving.state import State

POLICY = "top_k"
LISTED = 200
"""ids of one list that an answer's record holds"""


@dataclass(frozen=True)
class Serving:
    """The release that serves, with what is derived from it. Replaced whole: a request sees one or the other."""

    bundle: Bundle
    digest: str
    generation: int
    masks: Masks


class NoRelease(Unavailable):
    """Nothing was released yet."""


class UnknownItem(BadRequest):
    """The release does not know the item."""


class Engine:
    """Answers from the release that serves now."""

    def __init__(self, state: State, *, k: int, max_k: int) -> None:
        self.state, self.k, self.max_k = state, k, max_k
        self.serving: Serving | None = None
        self.swaps = 0

    def swap(self, bundle: Bundle, *, digest: str, generation: int) -> None:
        """Serve another release from the next request on."""
        self.serving = Serving(bundle, digest, generation, Masks(bundle))
        self.swaps += 1

    def recommend(self, ask: Ask, *, now: float) -> dict[str, Any]:
        """Question -> answer. Raises NoRelease, BadRequest."""
        serving = self._serving()
        if ask.user_id is None and not ask.session:
            raise BadRequest("Name a user_id, or the items of a session.", field="user_id")
        k = self._k(ask.k)
        start = time.perf_counter()
        moment = int(now if ask.context.time is None else ask.context.time)
        history = self.state.history(serving.bundle, ask.user_id, ask.session, _seen_from(now, ask.context.time))
        known = time.perf_counter()
        found = self._ranked(serving, ask, history, k)
        done = time.perf_counter()
        items = _items(serving.bundle, found)
        answer = self._head(serving, moment) | {"items": items}
        if reason := _reason(history, items):
            answer["reason"] = reason
        answer["milliseconds"] = {"history": _ms(start, known), "model": _ms(known, done)}
        return answer

    def similar(self, item: str, *, k: int | None, now: float) -> dict[str, Any]:
        """Items bought together with one item. Raises NoRelease, UnknownItem, BadRequest."""
        serving = self._serving()
        code = serving.bundle.items.codes.get(item)
        if code is None:
            raise UnknownItem(f"The release does not know the item {item!r}.", field="item_id")
        found = serving.bundle.model.similar(code, k=self._k(k))
        return self._head(serving, int(now)) | {"items": _items(serving.bundle, found)}

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

    def _ranked(self, serving: Serving, ask: Ask, history: Histories, k: int) -> Ranked:
        codes = serving.bundle.items.codes
        excluded = [codes[name] for name in ask.exclude if name in codes]
        return serving.bundle.model.recommend(
            history,
            k=k,
            exclude_seen=ask.exclude_seen,
            allowed=serving.masks.of(ask.filters),
            exclude=np.array(excluded, dtype=np.int32) if excluded else None,
        )

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

    def _head(self, serving: Serving, moment: int) -> dict[str, Any]:
        return {
            "receipt_id": uuid.uuid4().hex,
            "release": serving.digest,
            "generation": serving.generation,
            "time": moment,
            "policy": POLICY,
            "propensity": 1.0,
        }


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
    }


def _seen_from(now: float, at: float | None) -> int:
    """The moment before which events count: one that the caller names, or just after now."""
    return int(now) + 1 if at is None else int(at)


def _reason(history: Histories, items: list[dict[str, Any]]) -> str | None:
    if not items:
        return "No item passes the filters and exclusions."
    if not len(history.items):
        return "Nothing is known of this user yet: popular items of the last 28 days."
    return None


def _shortened(value: Any) -> Any:
    """Long lists (of stock, say) by their length and hash: an answer's record stays small."""
    if isinstance(value, dict):
        return {name: _shortened(part) for name, part in value.items()}
    if isinstance(value, list) and len(value) > LISTED:
        return {"count": len(value), "sha256": hashlib.sha256("\n".join(value).encode()).hexdigest()}
    return value


def _items(bundle: Bundle, found: Ranked) -> list[dict[str, Any]]:
    names, prices, sources = bundle.catalogue, bundle.model.statistics.price28, bundle.model.sources
    return [
        {
            "rank": rank,
            "item_id": names.ids[code],
            "title": names.titles[code],
            "category": names.paths[code],
            "price": round(float(prices[code]), 2),
            "score": round(float(score), 5),
            "origins": [name for bit, name in enumerate(sources) if origin >> bit & 1],
        }
        for rank, (code, score, origin) in enumerate(
            zip(found.items[0].tolist(), found.scores[0].tolist(), found.origins[0].tolist(), strict=True), start=1
        )
        if code
    ]


def _ms(start: float, end: float) -> float:
    return round(1000 * (end - start), 3)
