"""Artefacts: manifest, stores and the pointer to what serves."""

from recloop.artifacts.artifact import Artifact, Draft, open_artifact, publishing, read_manifest
from recloop.artifacts.pointer import Pointer, current, promote
from recloop.artifacts.store import Store, open_store

__all__ = [
    "Artifact",
    "Draft",
    "Pointer",
    "Store",
    "current",
    "open_artifact",
    "open_store",
    "promote",
    "publishing",
    "read_manifest",
]
