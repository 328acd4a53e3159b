"""Releases that are loaded beside the champion, for experiments, canaries and shadows."""

import threading
from collections.abc import Callable, Collection
from pathlib import Path

from recloop.serving.bundle import Bundle
from recloop.serving.stages import Serving, ready

ASIDE = 0
"""generation in the answers of a release that the pointer does not name"""
Fetch = Callable[[str], tuple[Path, str]]
"""URI -> folder on this machine, and digest"""


class Others:
    """Loaded releases by URI; a lookup costs nothing, loading is done by whoever starts a trial."""

    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch
        self.loaded: dict[str, Serving] = {}
        self.preparations: list[Callable[[Serving], None]] = []
        """what else a release needs before it answers: those of the engine"""
        self.lock = threading.Lock()

    def load(self, uri: str) -> Serving:
        """The release, read and checked where it was not yet. Raises BadRelease, BadArtifact, Unavailable."""
        with self.lock:
            if uri not in self.loaded:
                folder, digest = self.fetch(uri)
                self.loaded[uri] = ready(Bundle.load(folder), digest, ASIDE, self.preparations)
            return self.loaded[uri]

    def keep(self, uris: Collection[str]) -> None:
        """Let go of all but these; requests that are under way keep theirs to the end."""
        with self.lock:
            self.loaded = {uri: serving for uri, serving in self.loaded.items() if uri in uris}
