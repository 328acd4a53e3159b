"""Pins, promotions and new items -> slots of their own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recloop.serving.rules.compiled import Compiled
from recloop.serving.rules.occasion import Occasion, applies
from recloop.serving.rules.room import Room


@dataclass(frozen=True)
class Inserted:
    """An item that a rule puts into a slot, and which rule."""

    code: int
    label: str


class Slots:
    """The slots of one list that rules fill whatever the model says."""

    def __init__(self, k: int, room: Room) -> None:
        self.k, self.room = k, room
        self.filled: dict[int, Inserted] = {}
        """by place; 0 is the first"""

    def fill(self, places: list[int], codes: Iterable[int], label: str, *, fits: Callable[[int], bool]) -> None:
        """Fill the places, or the free ones nearest below, with the first codes that fit."""
        waiting = iter(codes)
        for wanted in places:
            place = self._free(wanted)
            code = next((code for code in waiting if self._absent(code) and fits(code)), None)
            if place is None or code is None:
                return
            self.filled[place] = Inserted(code, label)
            self.room.take(code)

    def _absent(self, code: int) -> bool:
        return all(one.code != code for one in self.filled.values())

    def _free(self, wanted: int) -> int | None:
        free = [place for place in range(self.k) if place not in self.filled]
        return next((place for place in free if place >= wanted), free[-1] if free else None)


def inserted(
    compiled: Compiled, occasion: Occasion, k: int, *, room: Room, due: NDArray[np.int32]
) -> dict[int, Inserted]:
    """Place -> what a rule puts there. due: new items behind their schedule, the most behind first.

    Pins come first and are bound by no cap; promotions and new items are. What may not be shown is left out, and its slot is
    the model's.
    """
    slots = Slots(k, room)
    for pin, code in compiled.pins:
        free = pin.place <= k and pin.place - 1 not in slots.filled
        if free and applies(pin.when, occasion, untold=False):
            slots.fill([pin.place - 1], [code], f"pinned:{pin.name}", fits=room.permits)
    for rule, codes in compiled.promotions:
        if applies(rule.when, occasion, untold=False):
            places = _spread(int(rule.share * k + 1e-9), k)
            slots.fill(places, codes.tolist(), f"promoted:{rule.name}", fits=room.fits)
    share = compiled.rules.new_items.share
    if len(due):
        slots.fill(_spread(int(np.ceil(share * k - 1e-9)), k), due.tolist(), "new_item", fits=room.fits)
    return slots.filled


def _spread(n: int, k: int) -> list[int]:
    """n places of k at even distances: the last of each stretch."""
    return [(k * (part + 1)) // n - 1 for part in range(n)]
