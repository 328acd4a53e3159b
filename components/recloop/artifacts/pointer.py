"""What serves is one pointer per scenario, changed by compare-and-set."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recloop.artifacts.store import Store
from recloop.errors import BadArtifact, Conflict


class Pointer(BaseModel):
    """The release that serves, and the one before it. The generation only grows."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    generation: int = Field(ge=1)
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
    return None if data is None else _parse(data, store, scenario)


def promote(store: Store, scenario: str, *, release: str, digest: str, expected: int | None, reason: str) -> Pointer:
    """Move the pointer to `release` if its generation is still `expected` (None: there is no pointer yet).

    Raises Conflict naming the winner. Promoting what already serves changes nothing.
    """
    found = store.version(key(scenario))
    before = _parse(found[0], store, scenario) if found else None
    if before and before.digest == digest:
        return before
    generation = before.generation if before else None
    if generation != expected:
        raise _lost(scenario, before, expected)
    after = Pointer(
        generation=(generation or 0) + 1,
        release=release,
        digest=digest,
        previous=before.release if before else None,
        previous_digest=before.digest if before else None,
        reason=reason,
    )
    try:
        store.swap(key(scenario), after.model_dump_json().encode(), expected=found[1] if found else None)
    except Conflict:
        winner = current(store, scenario)
        # a first try that was written and whose answer was lost comes back as a conflict with itself
        if winner != after:
            raise _lost(scenario, winner, expected) from None
    return after


def _lost(scenario: str, winner: Pointer | None, expected: int | None) -> Conflict:
    serving = f"generation {winner.generation} serves {winner.release}" if winner else "nothing serves"
    return Conflict(
        f"{scenario}: {serving}, where this promotion was judged against "
        f"{'nothing' if expected is None else f'generation {expected}'}. Judge again."
    )


def _parse(data: bytes, store: Store, scenario: str) -> Pointer:
    try:
        return Pointer.model_validate_json(data)
    except ValidationError as error:
        raise BadArtifact(
            f"{store.root}/{key(scenario)} is no pointer: {error}. Delete it and release again."
        ) from error
