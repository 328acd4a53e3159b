"""A release on its way: beside the champion, tried on copies (shadow) or on some users (canary).

One object a scenario in the store, changed by compare-and-set as the pointer is: it outlives every service.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recloop.artifacts.store import Store
from recloop.errors import BadArtifact, Conflict
from recloop.evaluation.experiments.design import CANARIES, Design, Running, Variant

Mode = Literal["canary", "shadow"]
State = Literal["running", "promoted", "rolled_back", "stopped"]
CHAMPION, CANARY = "champion", "canary"


class Rollout(BaseModel):
    """What is tried, and what became of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    mode: Mode
    release: str
    """URI of the bundle"""
    digest: str
    share: float = Field(gt=0, le=1)
    """of users (canary) or of questions (shadow)"""
    since: float
    """seconds since the epoch"""
    champion: str = ""
    """digest of the release that served when it began"""
    state: State = "running"
    reason: str = ""
    figures: dict[str, Any] = {}
    """what the decision rests on"""

    @property
    def running(self) -> Running:
        """The canary as the experiment that it is: champion against canary, in a layer of its own."""
        variants = (Variant(name=CHAMPION, share=1 - self.share + 1e-12), Variant(name=CANARY, share=self.share))
        return Running(
            design=Design(name=self.name, variants=variants, layer=CANARIES), part=(0.0, 1.0), since=self.since
        )


def key(scenario: str) -> str:
    """Where it lies in the store."""
    return f"rollouts/{scenario}/current"


def current(store: Store, scenario: str) -> Rollout | None:
    """The newest rollout, running or not; None before the first."""
    data = store.read(key(scenario))
    return None if data is None else _parse(data, scenario)


def begin(store: Store, scenario: str, rollout: Rollout) -> None:
    """Start one. Raises Conflict while another is running."""
    found = store.version(key(scenario))
    before = _parse(found[0], scenario) if found else None
    if before and before.state == "running":
        raise Conflict(
            f"{scenario}: the {before.mode} {before.name} of {before.release} is running. End it first: "
            f"`recloop canary promote {scenario}` or `recloop canary abort {scenario}`."
        )
    store.swap(key(scenario), rollout.model_dump_json().encode(), expected=found[1] if found else None)


def end(store: Store, scenario: str, ended: Rollout) -> Rollout:
    """Write down what became of it. Raises Conflict where it does not run any more, naming what became of it."""
    found = store.version(key(scenario))
    before = _parse(found[0], scenario) if found else None
    if found is None or before is None or before.name != ended.name or before.state != "running":
        what = f"{before.name} is {before.state}" if before else "there was none"
        raise Conflict(f"{scenario}: the rollout {ended.name} does not run: {what}.")
    store.swap(key(scenario), ended.model_dump_json().encode(), expected=found[1])
    return ended


def _parse(data: bytes, scenario: str) -> Rollout:
    try:
        return Rollout.model_validate_json(data)
    except ValidationError as error:
        raise BadArtifact(f"{key(scenario)} in the store is no rollout: {error}. Delete it.") from error
