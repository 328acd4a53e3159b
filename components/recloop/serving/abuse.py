"""Which events are a bot's or a repetition: flagged, so that a few clients cannot push an item up."""

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from recloop.config.edge import AbuseConfig

Flag = Literal["bot", "repeat"]
MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass
class Tally:
    """Events of one minute or one day."""

    number: int = -1
    """of the minute or the day, since the epoch"""
    events: int = 0
    repeats: int = 0
    items: Counter[tuple[str, str]] = field(default_factory=Counter)
    """events by item and kind"""

    def take(self, number: int, what: tuple[str, str]) -> int:
        """Count one more event, of what may be a new minute or day; how often it was there by now."""
        if number != self.number:
            self.number, self.events, self.repeats = number, 0, 0
            self.items.clear()
        self.events += 1
        self.items[what] += 1
        return self.items[what]


@dataclass
class Watched:
    """What one user or address did in the minute and the day at hand."""

    minute: Tally = field(default_factory=Tally)
    day: Tally = field(default_factory=Tally)
    until: float = 0.0
    """moment at which the quarantine ends"""


class Abuse:
    """Judges events one by one, in the order of arrival, in constant time and bounded memory."""

    def __init__(self, config: AbuseConfig) -> None:
        self.config = config
        self.watched: OrderedDict[str, Watched] = OrderedDict()

    def flag(self, record: Mapping[str, Any], *, address: str | None, now: float) -> Flag | None:
        """Event -> `bot`, `repeat`, or None where it counts.

        address: of the sender where he is nobody's server (a page's key), who may call himself a new user each time; then
        `now` is the moment of arrival and not the one that he tells.
        """
        what = (record["item_id"], record["event"])
        moment = now if address else record["time"]
        flags = [self._judge(f"user {record['user_id']}", what, moment, times=1)]
        if address:
            flags.append(self._judge(f"address {address}", what, moment, times=self.config.users_per_address))
        return "bot" if "bot" in flags else "repeat" if "repeat" in flags else None

    def _judge(self, who: str, what: tuple[str, str], moment: float, *, times: int) -> Flag | None:
        """One event of one user, or of an address that so many times as much is allowed to."""
        watched, config = self._watched(who), self.config
        if moment < watched.until:
            return "bot"
        in_minute = watched.minute.take(int(moment // MINUTE), what)
        in_day = watched.day.take(int(moment // DAY), what)
        repeated = in_minute > times or in_day > times * config.same_item_per_day
        watched.day.repeats += repeated
        if self._bot(watched, times):
            self.watched[who] = Watched(until=moment + config.quarantine_hours * HOUR)
            return "bot"
        return "repeat" if repeated else None

    def _bot(self, watched: Watched, times: int) -> bool:
        return (
            watched.minute.events > times * self.config.events_per_minute
            or watched.day.events > times * self.config.events_per_day
            or watched.day.repeats > times * self.config.repeats_per_day
        )

    def _watched(self, who: str) -> Watched:
        watched = self.watched.pop(who, None) or Watched()
        self.watched[who] = watched
        if len(self.watched) > self.config.watched:
            self.watched.popitem(last=False)
        return watched
