"""What serves is one pointer per scenario, changed by compare-and-set."""

from pydantic import BaseModel, ConfigDict

from recloop.artifacts.store import Store
from recloop.errors import Conflict


class Pointer(BaseModel):
    """The release that serves, and the one before it. The generation only grows."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    generation: int
    release: str
    """URI of the release bundle"""
    digest: str
    """digest of the bundle's manifest"""
    previous: str | None = None
    previous_digest: str | None = None
    reason: str = ""


def key(scenario: str) -> str:
    """Where the pointer lies in the store."""
    return f"releases/{scenario}/current"


def current(store: Store, scenario: str) -> Pointer | None:
    """The pointer, or None before the first release."""
    data = store.read(key(scenario))
    return None if data is None else Pointer.model_validate_json(data)


def promote(store: Store, scenario: str, *, release: str, digest: str, expected: int | None, reason: str) -> Pointer:
    """Move the pointer to `release` if its generation is still `expected` (None: there is no pointer yet).

    Raises Conflict naming the winner. Promoting what already serves changes nothing.
    """
    found = store.version(key(scenario))
    before = Pointer.model_validate_json(found[0]) if found else None
    if before and before.digest == digest:
        return before
    generation = before.generation if before else None
    if generation != expected:
        raise Conflict(
            f"{scenario}: generation {generation} serves {before.release if before else 'nothing'}, not generation "
            f"{expected} that this promotion was judged against. Judge again."
        )
    after = Pointer(
        generation=(generation or 0) + 1,
        release=release,
        digest=digest,
        previous=before.release if before else None,
        previous_digest=before.digest if before else None,
        reason=reason,
    )
    store.swap(key(scenario), after.model_dump_json().encode(), expected=found[1] if found else None)
    return after
