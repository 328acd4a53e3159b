"""Answers and events as they come -> what each user of each variant did since the first exposure."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
COLUMNS = ("answers", "empty", "clicks", "hits", "purchases", "revenue", "failed", "slow", "preference")
ANSWERS, EMPTY, CLICKS, HITS, PURCHASES, REVENUE, FAILED, SLOW, PREFERENCE = range(len(COLUMNS))
SHOWN = 500
"""items remembered of one user"""


class Tally:
    """Records of the journal in order of arrival; one user is in one variant and counts from the first answer on.

    A click or a purchase is a hit where an answer of the last `hours` showed the item to the user: what
    `feedback.attribution` credits. Events that were flagged (bots, repetitions) do not count. Exposures are read from an
    answer's `experiments`.
    """

    def __init__(self, experiment: str, *, hours: float, slow_ms: float = np.inf) -> None:
        self.experiment, self.seconds, self.slow_ms = experiment, 3600 * hours, slow_ms
        self.exposed: dict[str, tuple[str, float]] = {}
        """user -> variant, and the moment of the first exposure"""
        self.rows: dict[str, dict[str, list[float]]] = {}
        self.shown: dict[str, dict[str, tuple[float, int]]] = {}
        """user -> item -> when it was shown, and what its purchase says: 1 for the other release, -1 against it"""

    def observe(self, record: Mapping[str, Any]) -> None:
        """Take one record in."""
        if record["kind"] == "answer":
            self._answer(record)
        elif record["user_id"] in self.exposed and not record.get("flag"):
            self._event(record)

    def users(self, variant: str) -> F64:
        """One row a user of the variant. [users, COLUMNS]"""
        return np.array(list(self.rows.get(variant, {}).values()), dtype=np.float64).reshape(-1, len(COLUMNS))

    def names(self, variant: str) -> list[str]:
        """The users, in the order of `users`."""
        return list(self.rows.get(variant, {}))

    def _answer(self, record: Mapping[str, Any]) -> None:
        user, variant = record.get("user_id"), (record.get("experiments") or {}).get(self.experiment)
        if user is None or variant is None:
            return
        self.exposed.setdefault(user, (variant, record["time"]))
        row = self._row(user)
        row[ANSWERS] += 1
        row[EMPTY] += not record["items"]
        row[FAILED] += bool(record.get("failed"))
        row[SLOW] += record.get("ms", 0.0) > self.slow_ms
        shown = self.shown.setdefault(user, {})
        for item, says in zip(record["items"], _says(record), strict=True):
            shown.pop(item, None)
            shown[item] = (record["time"], says)
        while len(shown) > SHOWN or (shown and record["time"] - next(iter(shown.values()))[0] > self.seconds):
            del shown[next(iter(shown))]

    def _event(self, record: Mapping[str, Any]) -> None:
        user, moment = record["user_id"], record["time"]
        if moment < self.exposed[user][1]:
            return
        shown, says = self.shown[user].get(record["item_id"], (-np.inf, 0))
        credited = 0 <= moment - shown <= self.seconds
        row = self._row(user)
        if record["event"] == "click":
            row[CLICKS] += credited
        elif record["event"] == "purchase":
            row[HITS] += credited
            row[PREFERENCE] += says * credited
            row[PURCHASES] += 1
            row[REVENUE] += (record.get("price") or 0.0) * (record.get("quantity") or 1.0)

    def _row(self, user: str) -> list[float]:
        return self.rows.setdefault(self.exposed[user][0], {}).setdefault(user, [0.0] * len(COLUMNS))


def _says(record: Mapping[str, Any]) -> list[int]:
    """What the purchase of each item of an answer says in an interleaved list; 0 in any other."""
    teams = (record.get("interleaved") or {}).get("teams")
    return [2 * team - 1 for team in teams] if teams else [0] * len(record["items"])
