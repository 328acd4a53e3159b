"""What is taken more than usual now: the journal's newest events beside the release's counts."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recloop.serving.bundle import Bundle

HALF_LIFE = 3.5 * 86_400
"""seconds in which an event loses half its weight: the sum of all weights is that of five days of even events"""


class Trend:
    """Decayed counts of the events of the journal, by item id. One thread writes; another may read."""

    def __init__(self) -> None:
        self.counts: dict[str, tuple[float, float]] = {}
        """item -> weight, and the moment (seconds since the epoch) at which it had it"""

    def add(self, record: dict[str, Any]) -> None:
        """Count one event; one that is flagged (a bot's, a repetition) sets no trend."""
        if record.get("flag"):
            return
        moment = float(record["time"])
        weight, at = self.counts.get(record["item_id"], (0.0, moment))
        latest = max(moment, at)
        weight = weight * _decay(latest - at) + _decay(latest - moment)
        self.counts[record["item_id"]] = (weight, latest)

    def watched(self, records: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The same records; their events are counted on the way."""
        for record in records:
            if record["kind"] == "event":
                self.add(record)
            yield record

    def scores(self, bundle: Bundle, moment: float) -> NDArray[np.float64]:
        """(count - expected) / sqrt(expected + 1), the deviation of a Poisson count; -inf for what nobody takes. [n_codes]

        count: events of the release's last 7 days and of the journal since; expected: by the item's share of 28 days.
        """
        held = bundle.model.statistics
        counts = held.pop7.astype(np.float64)
        codes = bundle.items.codes
        # a copy of the items in one step: the server's loop may add meanwhile
        live = [(codes[item], w * _decay(moment - at)) for item, (w, at) in list(self.counts.items()) if item in codes]
        if live:
            at, weights = zip(*live, strict=True)
            np.add.at(counts, list(at), list(weights))
        expected = held.pop28 * (counts.sum() / max(float(held.pop28.sum()), 1.0))
        return np.where(counts > 0, (counts - expected) / np.sqrt(expected + 1), -np.inf)


def _decay(age: float) -> float:
    return float(0.5 ** (max(age, 0.0) / HALF_LIFE))
