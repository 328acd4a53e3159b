"""Publish and open artefacts: the manifest comes last, so a killed step leaves nothing half-visible."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recloop.artifacts import manifest as manifests
from recloop.artifacts.local import LocalStore
from recloop.artifacts.manifest import Manifest
from recloop.artifacts.store import Store, open_store
from recloop.errors import AlreadyPublished, BadArtifact, Conflict


@dataclass(frozen=True)
class Artifact:
    """A verified artefact, its files in a local folder (read only)."""

    uri: str
    manifest: Manifest
    path: Path

    @property
    def digest(self) -> str:
        """The artefact's identity."""
        return self.manifest.digest


@dataclass
class Draft:
    """An artefact in the making: write files below `path`, put figures into `metrics`."""

    path: Path
    metrics: dict[str, float] = field(default_factory=dict)


@contextmanager
def publishing(
    out: str, *, kind: str, parents: Mapping[str, Artifact] | None = None, config: Mapping[str, Any] | None = None
) -> Iterator[Draft]:
    """Write into the draft; when the block ends well its files are published at `out`, the manifest last.

    Publishing the same bytes again does nothing; other bytes raise AlreadyPublished. A block that raises
    publishes nothing.
    """
    kind = _known(kind)
    with tempfile.TemporaryDirectory(prefix="recloop-") as folder:
        draft = Draft(Path(folder))
        yield draft
        try:
            manifest = Manifest(
                kind=kind,
                files=manifests.describe(draft.path),
                parents={name: parent.digest for name, parent in sorted((parents or {}).items())},
                config=dict(config or {}),
                metrics=dict(sorted(draft.metrics.items())),
            )
            manifest.dumps()
        except ValueError as error:
            raise BadArtifact(f"The {kind} for {out} was not published: its manifest would hold {error}.") from error
        _publish(draft.path, manifest, out)


def _publish(folder: Path, manifest: Manifest, out: str) -> None:
    store = open_store(out)
    if _published(store, manifest, out):
        return
    for name in manifest.files:
        store.upload(folder / name, name)
    try:
        store.swap(manifests.NAME, manifest.dumps(), expected=None)
    except Conflict:
        # a rival was first, or our own first try was written and its answer lost
        if not _published(store, manifest, out):
            raise


def _published(store: Store, manifest: Manifest, out: str) -> bool:
    """Whether this very artefact lies at `out`. Raises AlreadyPublished where another one does."""
    found = store.read(manifests.NAME)
    if found is None:
        return False
    if manifests.parse(found, uri=out).digest == manifest.digest:
        return True
    raise AlreadyPublished(
        f"{out} already holds another {manifest.kind}. Choose another place; artefacts never change."
    )


def read_manifest(uri: str, *, kind: str) -> Manifest:
    """URI -> manifest, without the files. Raises BadArtifact where there is none or it is of another kind."""
    data = open_store(uri).read(manifests.NAME)
    if data is None:
        raise BadArtifact(f"There is no {kind} at {uri}: no {manifests.NAME}. Run the step that makes it.")
    manifest = manifests.parse(data, uri=uri)
    if manifest.kind != kind:
        raise BadArtifact(f"{uri} is a {manifest.kind}, where a {kind} is needed.")
    return manifest


def open_artifact(uri: str, *, kind: str, cache: Path) -> Artifact:
    """URI -> verified Artifact; from S3 it is copied once into `cache`, keyed by its digest.

    Raises BadArtifact where there is none, it is of another kind, or a hash differs.
    """
    manifest = read_manifest(uri, kind=kind)
    store = open_store(uri)
    if isinstance(store, LocalStore):
        manifests.verify(store.folder, manifest, uri=uri)
        return Artifact(uri, manifest, store.folder)
    folder = cache / manifest.digest
    if not _intact(folder, manifest):
        _fetch(uri, manifest, folder)
    return Artifact(uri, manifest, folder)


def _intact(folder: Path, manifest: Manifest) -> bool:
    """Whether the cache holds the files; a copy that was damaged (power lost, disk) is thrown away."""
    try:
        manifests.verify(folder, manifest, uri=str(folder))
    except BadArtifact:
        shutil.rmtree(folder, ignore_errors=True)
        return False
    return True


def _fetch(uri: str, manifest: Manifest, folder: Path) -> None:
    """Copy the files next to `folder`, verify them, then move them into place at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    store = open_store(uri)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as temporary:
        part = Path(temporary) / "files"
        part.mkdir()
        for name in manifest.files:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            store.download(name, part / name)
        manifests.verify(part, manifest, uri=uri)
        (part / manifests.NAME).write_bytes(manifest.dumps())
        try:
            part.rename(folder)
        except OSError:
            # another process fetched the same digest first
            if not folder.is_dir():
                raise


def export(artifact: Artifact, folder: Path) -> None:
    """Copy an artefact's files, with its manifest, into a folder that must not exist."""
    shutil.copytree(artifact.path, folder)
    (folder / manifests.NAME).write_bytes(artifact.manifest.dumps())


def _known(kind: str) -> str:
    if kind not in manifests.KINDS:
        raise BadArtifact(f"{kind!r} is no kind of artefact; the kinds are {', '.join(manifests.KINDS)}.")
    return kind
