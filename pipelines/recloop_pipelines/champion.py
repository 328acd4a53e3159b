"""The release that serves now."""

from recloop.artifacts import Artifact, Pointer, current, open_store
from recloop.config import Config
from recloop_pipelines.settings import opened, settings


def pointer(config: Config) -> Pointer | None:
    """The scenario's pointer, or None before the first release."""
    return current(open_store(settings().store_uri), config.scenario)


def champion(config: Config) -> Artifact | None:
    """The bundle that serves now, verified; None before the first release."""
    found = pointer(config)
    return None if found is None else opened(found.release, kind="release")
