"""release -> model card: Markdown and HTML."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from recloop.artifacts import Artifact, read_manifest
from recloop.errors import BadArtifact
from recloop_pipelines.champion import pointer
from recloop_pipelines.places import configuration
from recloop_pipelines.settings import opened, settings

if TYPE_CHECKING:
    from recloop.evaluation.cards import Subject

FILE = "card"


def describe(target: str, out: Path, *, scorecard: str = "") -> list[Path]:
    """URI of a release or a model, or a scenario whose serving release is meant -> the files written: card.md, card.html.

    `scorecard`: URI, for a model that was not released; a release has its own. Raises BadArtifact.
    """
    from recloop.evaluation.cards import card

    made = _opened(target)
    found = card(_subject(made, scorecard))
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{FILE}.md", out / f"{FILE}.html"]
    for path, text in zip(paths, (found.markdown(), found.html()), strict=True):
        path.write_text(text)
    return paths


def _opened(target: str) -> Artifact:
    if "://" in target:
        return opened(target, kind=_kind(target))
    serving = pointer(configuration(target))
    if serving is None:
        raise BadArtifact(
            f"{target} has no release yet, so there is nothing to describe. Make one: recloop run {target}"
        )
    return opened(serving.release, kind="release")


def _kind(uri: str) -> str:
    """release or model, as its manifest says."""
    try:
        read_manifest(uri, kind="release")
    except BadArtifact as error:
        if "where a release is needed" not in str(error):
            raise
        return "model"
    return "release"


def _subject(made: Artifact, scorecard: str) -> "Subject":
    from recloop.evaluation.cards import Subject
    from recloop.evaluation.scorecard import Scorecard

    whole = made.manifest.kind == "release"
    folder = made.path / "model" if whole else made.path
    facts = json.loads((folder / "model.json").read_text())
    card = Scorecard.load(made.path) if whole else None
    if scorecard:
        given = opened(scorecard, kind="scorecard")
        if not whole and given.manifest.parents.get("model") != made.digest:
            raise BadArtifact(f"{scorecard} is of another model than {made.uri}: evaluate it with `recloop evaluate`.")
        card = Scorecard.load(given.path)
    return Subject(
        name=made.uri.rsplit("/", 1)[-1],
        digest=made.digest,
        facts=facts,
        config=json.loads((made.path / "config.json").read_text()) if whole else {"model": made.manifest.config},
        data=_data(made.path) if whole else {},
        parents=made.manifest.parents,
        files={name: (file.sha256, file.size) for name, file in made.manifest.files.items()},
        scorecard=card,
    )


def _data(bundle: Path) -> dict[str, int | str]:
    """What a bundle says of its data."""
    from safetensors import safe_open

    from recloop.data.vocabulary import Vocabulary

    end = json.loads((bundle / "release.json").read_text())["end"]
    with safe_open(bundle / "history.safetensors", framework="numpy") as arrays:
        events = int(arrays.get_slice("items").get_shape()[0])
    said: dict[str, int | str] = {
        "users": len(Vocabulary.load(bundle / "users.json")),
        "items": len(Vocabulary.load(bundle / "items.json")),
        "events of them": events,
        "up to": datetime.fromtimestamp(end, tz=UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    return said | _retrieval(bundle / "model" / "retrieval.json")


def _retrieval(facts: Path) -> dict[str, int | str]:
    """How a bundle finds the items nearest to a user, where it does."""
    if not facts.exists():
        return {}
    said = json.loads(facts.read_text())
    how = f"{said['kind']} over {said['items']:,} vectors"
    return {"retrieval": how if said["kind"] == "exact" else f"{how}, recall {said['recall']:.4f} of the exact one"}


def default_out(target: str) -> Path:
    """Where a card lies when nobody says: in the home, by the name of what it is of."""
    return settings().folder / "cards" / "-".join(Path(target.removesuffix(".yaml")).parts[-3:])
