"""What a request says of itself, and whether a rule is about it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from recloop.config.merchandising import Kind, When


@dataclass(frozen=True)
class Occasion:
    """Kind, moment (seconds since the epoch, UTC) and what the caller told of the place; None where it did not."""

    kind: Kind
    moment: int
    page: str | None = None
    device: str | None = None
    place: str | None = None
    lasting: bool = False
    """whether the list is shown at moments after this one, which nobody knows yet"""


ALWAYS = When()


def applies(when: When, occasion: Occasion, *, untold: bool) -> bool:
    """Whether every part of `when` holds. untold: the answer where nobody told what a part asks for, such as the hour."""
    if when is ALWAYS or when == ALWAYS:
        return True
    told = (
        (when.kinds, occasion.kind),
        (when.pages, occasion.page),
        (when.devices, occasion.device),
        (when.places, occasion.place),
    )
    return all(_named(names, value, untold) for names, value in told) and _timely(when, occasion, untold)


def _named(names: tuple[str, ...], value: str | None, untold: bool) -> bool:
    if not names:
        return True
    return untold if value is None else value in names


def _timely(when: When, occasion: Occasion, untold: bool) -> bool:
    now = datetime.fromtimestamp(occasion.moment, UTC)
    if occasion.lasting and untold:
        return when.until is None or now < when.until
    return (
        (when.since is None or now >= when.since)
        and (when.until is None or now < when.until)
        and (not when.weekdays or now.weekday() in when.weekdays)
        and (when.hours is None or _within(now.hour, *when.hours))
    )


def _within(hour: int, start: int, end: int) -> bool:
    """Whether an hour lies in start:end, which may pass midnight."""
    return start <= hour < end if start <= end else hour >= start or hour < end
