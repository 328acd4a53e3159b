"""Where each artefact of a scenario lies in the store, and which one of a kind is the latest."""

import json
import time
from pathlib import Path

from recloop.artifacts import open_store, read_manifest
from recloop.config import Config, load
from recloop.errors import BadArtifact, BadConfig, Conflict
from recloop_pipelines.settings import settings

KINDS = {
    "collect": "events",
    "check": "checked",
    "prepare": "dataset",
    "fit": "model",
    "evaluate": "scorecard",
    "release": "release",
    "score": "recommendations",
    "attribute": "feedback",
}
"""step -> kind of the artefact that it publishes"""

TRIES = 20


def place(config: Config, kind: str, run: str) -> str:
    """The empty place of one run's artefact."""
    return f"{settings().store_uri}/{config.scenario}/{kind}/{run}"


def latest(config: Config, kind: str) -> str | None:
    """URI of the newest published artefact of a kind, or None."""
    data = open_store(settings().store_uri).read(_head(config, kind))
    return None if data is None else str(json.loads(data)["uri"])


def required(config: Config, kind: str) -> str:
    """URI of the newest artefact of a kind. Raises BadArtifact that names the step to run."""
    found = latest(config, kind)
    if found is None:
        step = next(name for name, made in KINDS.items() if made == kind)
        raise BadArtifact(
            f"{config.scenario} has no {kind} in {settings().store_uri} yet. Make it with the step `{step}`: "
            "`recloop run` runs all of them."
        )
    return found


def announce(config: Config, kind: str, uri: str) -> None:
    """Make `uri` the newest of its kind (by compare-and-set, so that rivals do not tear it)."""
    manifest = read_manifest(uri, kind=kind)
    store, key = open_store(settings().store_uri), _head(config, kind)
    data = json.dumps({"uri": uri, "digest": manifest.digest}).encode()
    for attempt in range(TRIES):
        found = store.version(key)
        try:
            store.swap(key, data, expected=found[1] if found else None)
            return
        except Conflict:
            time.sleep(0.01 * attempt)
    raise Conflict(f"{key} was changed by {TRIES} other writers in a row. Run the step again.")


def configuration(name: str) -> Config:
    """'retail' or a path -> Config. Raises BadConfig listing what exists."""
    path = Path(name)
    if path.suffix in {".yaml", ".yml", ".json"}:
        return load(path)
    folder = settings().configs
    path = folder / f"{name}.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise BadConfig(
            f"There is no scenario {name!r} in {folder}; it holds: {known}. Set RECLOOP_CONFIGS or give a path."
        )
    return load(path)


def _head(config: Config, kind: str) -> str:
    return f"heads/{config.scenario}/{kind}"


def relative(uri: str) -> str:
    """URI in the store -> path below the store's root, which is the same in every store."""
    return uri.removeprefix(settings().store_uri + "/")


def absolute(path: str) -> str:
    """Path below the store's root -> URI."""
    return f"{settings().store_uri}/{path}"
