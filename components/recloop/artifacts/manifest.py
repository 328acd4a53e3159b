"""What an artefact is: files, and a manifest that is written last."""

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from recloop import __version__
from recloop.errors import BadArtifact

KINDS = ("events", "checked", "dataset", "model", "scorecard", "release", "recommendations", "feedback")
NAME = "manifest.json"
SCHEMA = 1


def _inside(name: str) -> str:
    """A file's name may not lead out of the artefact's folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or "/".join(parts) != name or name == NAME:
        raise ValueError(f"{name!r} is no plain relative path")
    return name


class File(BaseModel):
    """One file of an artefact."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class Manifest(BaseModel):
    """Kind, files with hashes, parents' digests, config, code version and metrics of one artefact."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")
    kind: str
    schema_version: int = SCHEMA
    code: str = __version__
    files: dict[Annotated[str, AfterValidator(_inside)], File]
    parents: dict[str, str] = {}
    """name of the input -> digest of its manifest"""
    config: dict[str, Any] = {}
    metrics: dict[str, FiniteFloat] = {}

    def dumps(self) -> bytes:
        """Canonical JSON: the same artefact gives the same bytes."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1, allow_nan=False).encode()

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON: the artefact's identity."""
        return hashlib.sha256(self.dumps()).hexdigest()


def parse(data: bytes, *, uri: str) -> Manifest:
    """manifest.json -> Manifest. Raises BadArtifact when it is not one."""
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise BadArtifact(
            f"{uri}/{NAME} is not a manifest: {error}. Delete the prefix and run the step again."
        ) from error
    if manifest.schema_version != SCHEMA:
        raise BadArtifact(f"{uri} has schema {manifest.schema_version}; this version reads {SCHEMA}.")
    return manifest


def describe(folder: Path) -> dict[str, File]:
    """Folder -> its files with sha256 and size, keyed by relative path."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / NAME)
    return {p.relative_to(folder).as_posix(): File(sha256=sha256(p), size=p.stat().st_size) for p in paths}


def verify(folder: Path, manifest: Manifest, *, uri: str) -> None:
    """Check every file of the manifest in `folder`. Raises BadArtifact naming the first that differs."""
    for name, file in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise BadArtifact(f"{uri} lacks {name} ({file.size} bytes). Run the step that made it again.")
        found = sha256(path)
        if found != file.sha256:
            raise BadArtifact(
                f"{uri}/{name} is corrupted: sha256 {found[:12]} where the manifest says {file.sha256[:12]}. "
                "Delete the prefix and run the step that made it again."
            )


def sha256(path: Path) -> str:
    """File -> hex digest."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
