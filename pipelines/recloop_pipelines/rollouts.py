"""Canaries and shadows of a scenario, as the store knows them; the running service follows within a second."""

from typing import TYPE_CHECKING, Literal

from recloop.artifacts import Artifact, Pointer, open_store
from recloop.config import Config
from recloop.errors import BadRelease
from recloop_pipelines.settings import settings

if TYPE_CHECKING:
    from recloop.serving.rollout import Rollout, State


def newest(config: Config) -> "Rollout | None":
    """The scenario's rollout that runs, or the last one that ran; None before the first."""
    from recloop.serving.rollout import current

    return current(open_store(settings().store_uri), config.scenario)


def ready(config: Config, serving: Pointer | None) -> None:
    """Do nothing where a rollout may start. Raises BadRelease where there is nothing to compare with, or one is running."""
    if serving is None:
        raise BadRelease(
            f"Nothing serves {config.scenario} yet, so there is nothing to try a release beside: release it."
        )
    found = newest(config)
    if found and found.state == "running":
        raise BadRelease(
            f"The {found.mode} {found.name} of {config.scenario} is running. Wait for its verdict, or end it: "
            f"`recloop canary abort`, `recloop canary promote`."
        )


def start(
    config: Config, bundle: Artifact, *, champion: str, mode: Literal["canary", "shadow"], share: float, now: float
) -> "Rollout":
    """Try a bundle beside the champion (its digest) from now on."""
    from recloop.serving.rollout import Rollout, begin

    name = f"{mode}-{bundle.uri.rsplit('/', 1)[-1].lower()}"
    tried = {"name": name, "mode": mode, "release": bundle.uri, "digest": bundle.digest}
    made = Rollout(**tried, share=share, since=now, champion=champion)
    begin(open_store(settings().store_uri), config.scenario, made)
    return made


def decided(config: Config, state: "State", reason: str) -> "Rollout":
    """The running rollout with a person's decision. Raises BadRelease where none runs."""
    found = newest(config)
    if found is None or found.state != "running":
        what = f"the last one, {found.name}, is {found.state}" if found else "there was none"
        raise BadRelease(f"No canary or shadow of {config.scenario} is running: {what}.")
    return found.model_copy(update={"state": state, "reason": reason})


def finish(config: Config, decision: "Rollout") -> "Rollout":
    """Write a decision down. Raises Conflict where another was first."""
    from recloop.serving.rollout import end

    return end(open_store(settings().store_uri), config.scenario, decision)
