"""What users did since the release's snapshot: visible in the next answer."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from recloop.data.histories import Histories
from recloop.data.stores import store_code
from recloop.serving.bundle import Bundle


class Live(NamedTuple):
    """One event of the journal; item is an id."""

    time: int
    item: str
    price: float
    quantity: float
    discount: float
    store: int


class State:
    """Events of the journal by user, in order of arrival. One thread writes and reads it: the server's loop."""

    def __init__(self, records: Iterable[dict[str, Any]] = ()) -> None:
        self.live: dict[str, list[Live]] = {}
        for record in records:
            if record["kind"] == "event":
                self.add(record)

    def add(self, record: dict[str, Any]) -> None:
        """Take one event in, in constant time; `history` puts a late one in its place."""
        event = Live(
            int(record["time"]),
            record["item_id"],
            record.get("price") or 0.0,
            record.get("quantity") or 1.0,
            record.get("discount") or 0.0,
            store_code(record.get("store_id")),
        )
        self.live.setdefault(record["user_id"], []).append(event)

    def history(self, bundle: Bundle, user: str | None, session: list[str], now: int) -> Histories:
        """One row: the snapshot's events, the journal's that it lacks, then a session's items, all before `now`.

        Items outside the release's vocabulary do not enter.
        """
        codes = bundle.items.codes
        row = bundle.users.codes.get(user or "", 0)
        base = bundle.past.part(row - 1, row) if row else bundle.past.part(0, 0)
        live = [event for event in self.live.get(user or "", ()) if event.time < now and event.item in codes]
        if any(event.time < bundle.end for event in live):
            live = _lacking(live, base, bundle)
        live += [Live(now - 1, item, 0.0, 1.0, 0.0, 0) for item in session if item in codes]
        if not live and (not len(base.times) or base.times[-1] < now):
            return _seen_from(base, now)
        return _joined(base, live, [codes[event.item] for event in live], now)


def _lacking(live: list[Live], base: Histories, bundle: Bundle) -> list[Live]:
    """Events of the journal that the snapshot does not hold: a late one may be older than the snapshot's end."""
    held = set(zip(base.times.tolist(), base.items.tolist(), strict=True))
    codes = bundle.items.codes
    return [event for event in live if event.time >= bundle.end or (event.time, codes[event.item]) not in held]


def _seen_from(base: Histories, now: int) -> Histories:
    """The snapshot's row as it is, without a copy."""
    offsets = np.array([0, len(base.items)], dtype=np.int64)
    moment = np.array([now], dtype=np.int64)
    return replace(base, offsets=offsets, now=moment)


def _joined(base: Histories, live: list[Live], codes: list[int], now: int) -> Histories:
    """Both in order of time; of one moment, the snapshot's events come first."""
    kept = int(np.searchsorted(base.times, now, side="left"))
    times = np.concatenate([base.times[:kept], np.array([event.time for event in live], dtype=np.int64)])
    order = np.argsort(times, kind="stable")

    def column(values: Any, more: list[Any]) -> Any:
        return np.concatenate([values[:kept], np.array(more, dtype=values.dtype)])[order]

    return Histories(
        offsets=np.array([0, len(times)], dtype=np.int64),
        items=column(base.items, codes),
        times=times[order],
        prices=column(base.prices, [event.price for event in live]),
        quantities=column(base.quantities, [event.quantity for event in live]),
        discounts=column(base.discounts, [event.discount for event in live]),
        stores=column(base.stores, [event.store for event in live]),
        now=np.array([now], dtype=np.int64),
    )
