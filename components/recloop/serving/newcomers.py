"""First impressions of new items: who is new, what they were shown, and who is behind the schedule."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recloop.config import RulesConfig
from recloop.serving.bundle import Bundle
from recloop.serving.stages import Question

DAY, HOUR = 86_400, 3_600


class Impressions:
    """How often each item was shown, counted from answers: those of the journal after a restart, then each new one."""

    def __init__(self) -> None:
        self.shown: Counter[str] = Counter()

    def watched(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The same records of a journal; the items of their answers are counted on the way."""
        for record in records:
            if record["kind"] == "answer":
                self.shown.update(record["items"])
            yield record

    def observe(self, _: Question, answer: dict[str, Any]) -> None:
        """Count the items of an answer."""
        self.shown.update([item["item_id"] for item in answer["items"]])

    def due(self, bundle: Bundle, rules: RulesConfig, moment: int) -> NDArray[np.int32]:
        """Codes of new items that were shown less than their schedule says at a moment; the most behind first.

        The schedule gives `impressions` at an even pace in `within_hours` from the first time that anybody took the item.
        """
        wish = rules.new_items
        if not wish.share:
            return np.zeros(0, dtype=np.int32)
        age = _seconds_since_first(bundle, moment)
        new = np.flatnonzero((age >= 0) & (age < wish.days * DAY))
        new = new[new > 0]
        shown = np.array([self.shown[bundle.catalogue.ids[code]] for code in new.tolist()], dtype=np.float64)
        scheduled = wish.impressions * np.minimum(age[new] / (wish.within_hours * HOUR), 1.0)
        behind = scheduled - shown
        order = np.argsort(-behind, kind="stable")
        return new[order[behind[order] > 0]].astype(np.int32)


def _seconds_since_first(bundle: Bundle, moment: int) -> NDArray[np.float64]:
    """Age of each item at a moment. [n_codes]"""
    served = bundle.model
    as_of = bundle.end if served.learnt_until is None else served.learnt_until
    return served.statistics.age.astype(np.float64) * DAY + (moment - as_of)
