"""The family: every kind of model by its name, fitted and loaded one way. Neither torch nor a model is imported to ask."""

import importlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recloop.errors import BadArtifact
from recloop.models.ranked import Recommender
from recloop.models.task import Task

FACTS = "model.json"


@dataclass(frozen=True)
class Kind:
    """Where a kind of model lives: `fit(task)` in one module, `load(folder, threads=)` in another, without torch."""

    fit: str
    load: str


@dataclass(frozen=True)
class Fitted:
    """What a fit found: figures for people, and facts that its files need to be read again."""

    metrics: dict[str, float]
    facts: dict[str, Any]


FAMILY = {
    "two_stage": Kind("recloop.models.two_stage_fit", "recloop.models.two_stage"),
}


def fit(kind: str, task: Task) -> dict[str, float]:
    """Fit one model into task.out and write model.json there; its figures. Raises BadData where nothing can be learnt."""
    warm = task.warm if task.warm is not None and kind_of(task.warm) == kind else None
    found: Fitted = importlib.import_module(FAMILY[kind].fit).fit(replace(task, warm=warm))
    facts = found.facts | {"kind": kind, "learnt_until": task.cut.as_of}
    (task.out / FACTS).write_text(json.dumps(facts, sort_keys=True, indent=1))
    return found.metrics


def load(folder: Path, *, threads: int = 1) -> Recommender:
    """Model folder -> the recommender in it. Raises BadArtifact where its kind is not known."""
    kind = kind_of(folder)
    if kind not in FAMILY:
        raise BadArtifact(f"{folder / FACTS} is of the kind {kind!r}; known are {', '.join(FAMILY)}.")
    model: Recommender = importlib.import_module(FAMILY[kind].load).load(folder, threads=threads)
    return model


def kind_of(folder: Path) -> str:
    """Kind of the model in a folder."""
    return str(facts_of(folder).get("kind", "two_stage"))


def facts_of(folder: Path) -> dict[str, Any]:
    """What model.json says."""
    facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
    return facts
