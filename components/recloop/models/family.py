"""The family: every kind of model by its name, fitted and loaded one way. Neither torch nor a model is imported to ask."""

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recloop.errors import BadArtifact
from recloop.models.ranked import Recommender
from recloop.models.task import Task

FACTS, STATISTICS = "model.json", "statistics.safetensors"


@dataclass(frozen=True)
class Kind:
    """Where a kind of model lives: `fit(task)` in one module, `load(folder, threads=)` in another, without torch.

    module or module:function, where the function has another name.
    """

    fit: str
    load: str


@dataclass(frozen=True)
class Fitted:
    """What a fit found: figures for people, and facts that its files need to be read again."""

    metrics: dict[str, float]
    facts: dict[str, Any]


FAMILY = {
    "two_stage": Kind("recloop.models.two_stage_fit", "recloop.models.two_stage"),
    "item_to_item": Kind("recloop.models.counts", "recloop.models.counts"),
    "ease": Kind("recloop.models.ease", "recloop.models.ease"),
    "als": Kind("recloop.models.als", "recloop.models.als"),
    "hybrid": Kind("recloop.models.hybrid_fit", "recloop.models.hybrid"),
    "popularity": Kind("recloop.models.popularity", "recloop.models.popularity"),
    "frequency": Kind("recloop.models.frequency", "recloop.models.frequency"),
    "frequency_decayed": Kind("recloop.models.frequency:fit_decayed", "recloop.models.frequency"),
    "item_knn": Kind("recloop.models.item_knn", "recloop.models.item_knn"),
    "mf": Kind("recloop.models.ncf_fit:fit_mf", "recloop.models.ncf"),
    "gmf": Kind("recloop.models.ncf_fit:fit_gmf", "recloop.models.ncf"),
    "mlp": Kind("recloop.models.ncf_fit:fit_mlp", "recloop.models.ncf"),
    "neumf": Kind("recloop.models.ncf_fit:fit_neumf", "recloop.models.ncf"),
    "din": Kind("recloop.models.din_fit", "recloop.models.din"),
    "multi_task": Kind("recloop.models.mmoe_fit", "recloop.models.mmoe"),
    "two_tower": Kind("recloop.models.two_tower_fit", "recloop.models.two_tower"),
    "sasrec": Kind("recloop.models.sasrec_fit", "recloop.models.sequential"),
    "content": Kind("recloop.models.content_fit", "recloop.models.content"),
    "bert4rec": Kind("recloop.models.bert4rec_fit", "recloop.models.sequential"),
    "hstu": Kind("recloop.models.hstu_fit", "recloop.models.sequential"),
}


def fit(kind: str, task: Task) -> dict[str, float]:
    """Fit one model into task.out and write model.json there; its figures. Raises BadData where nothing can be learnt.

    An older model is gone on with only where it is of the same kind and learnt nothing that lies after the cut.
    """
    found: Fitted = _named(FAMILY[kind].fit, "fit")(replace(task, warm=_honest(kind, task)))
    facts = found.facts | {"kind": kind, "learnt_until": task.cut.as_of}
    (task.out / FACTS).write_text(json.dumps(facts, sort_keys=True, indent=1))
    _beside(task)
    return found.metrics


def _honest(kind: str, task: Task) -> Path | None:
    if task.warm is None or kind_of(task.warm) != kind:
        return None
    until = facts_of(task.warm).get("learnt_until")
    if until is not None and until <= task.cut.as_of:
        return task.warm
    task.tell(f"{kind}: the older model may have learnt from what is held out now; starting afresh", 0.0)
    return None


def _beside(task: Task) -> None:
    """What every release serves beside its model: statistics, similar items, what people alike take; as of the cut."""
    from recloop.models import alike, item_knn

    if task.dataset.attributes is not None:
        alike.Alike.fit(task.dataset.attributes, task.past, task.dataset.users, task.statistics.pop28).save(task.out)
    if not (task.out / STATISTICS).exists():
        task.statistics.save(task.out / STATISTICS)
    if not (task.out / item_knn.FILE).exists():
        item_knn.made(task).save(task.out / item_knn.FILE)


def load(folder: Path, *, threads: int = 1) -> Recommender:
    """Model folder -> the recommender in it. Raises BadArtifact where its kind is not known."""
    kind = kind_of(folder)
    if kind not in FAMILY:
        raise BadArtifact(f"{folder / FACTS} is of the kind {kind!r}; known are {', '.join(FAMILY)}.")
    model: Recommender = _named(FAMILY[kind].load, "load")(folder, threads=threads)
    return model


def _named(place: str, default: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), name or default)
    return found


def kind_of(folder: Path) -> str:
    """Kind of the model in a folder."""
    return str(facts_of(folder).get("kind", "two_stage"))


def facts_of(folder: Path) -> dict[str, Any]:
    """What model.json says."""
    facts: dict[str, Any] = json.loads((folder / FACTS).read_text())
    return facts
