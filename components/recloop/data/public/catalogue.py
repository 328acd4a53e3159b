"""Every public set by its name."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from recloop.data.public import amazon, grocery, media, movielens, trade, weights
from recloop.data.public.sets import PublicSet, Tables
from recloop.errors import BadData

SETS: dict[str, PublicSet] = {
    found.name: found for family in (movielens, amazon, grocery, media, trade, weights) for found in family.SETS
}
CATEGORIES = tuple(f"{edition}/{kind}" for edition in amazon.CORES for kind in amazon.CATEGORIES)
"""names that take a category of Amazon reviews 2023"""


def known(name: str) -> PublicSet:
    """Name -> set. Raises BadData with the nearest names."""
    if name in SETS:
        return SETS[name]
    if name in CATEGORIES:
        return amazon.category(name)
    near = get_close_matches(name, [*SETS, *CATEGORIES], n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise BadData(f"{name!r} is no public set. {hint}List them: recloop data list")


def sections(name: str) -> dict[str, Any]:
    """Name -> sections of a configuration that read it: where order is all that is known, the last event is left out."""
    found = known(name)
    data = {"title": found.title, "data": {"source": "public", "events": name}}
    if found.time != "order":
        return data | {"quality": {"max_bad_share": found.bad_share}}
    # made-up dates know no season
    quality = {"max_bad_share": found.bad_share, "max_volume_change": 1e9, "max_new_item_share": 1.0}
    return data | {"quality": quality, "split": {"kind": "leave_last_out", "min_item_events": 1}}


def read(name: str, folder: Path) -> Tables:
    """Name -> raw rows of folder/<name>. Raises BadData where it is not known, or was not fetched."""
    found = known(name)
    form = found.ready(folder / name)
    if form is None:
        raise BadData(f"{name} is not in {folder}. Fetch it: recloop data fetch {name}")
    return form.read(folder / name)
