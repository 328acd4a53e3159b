"""One MLflow run with runs below it: a comparison and its fits, a study and its trials."""

import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recloop_pipelines.settings import settings


@dataclass(frozen=True)
class Tracked:
    """What is logged of one run."""

    name: str
    key: str
    """idempotency: the same key again logs nothing"""
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    files: tuple[Path, ...] = field(default=())


def track(experiment: str, whole: Tracked, parts: Iterable[Tracked], *, tags: Mapping[str, str]) -> str:
    """Log a run and the runs below it -> id of the run. Raises Unavailable, and BadData where MLflow refuses."""
    parent = _log(experiment, whole, tags)
    for part in parts:
        _log(experiment, part, {**tags, "mlflow.parentRunId": parent})
    return parent


def _log(experiment: str, run: Tracked, tags: Mapping[str, str]) -> str:
    from recloop import registry

    with tempfile.TemporaryDirectory() as folder:
        for file in run.files:
            shutil.copy(file, folder)
        return registry.log_run(
            settings().mlflow_uri,
            registry.Run(
                experiment=experiment,
                name=run.name,
                key=run.key,
                params=run.params,
                metrics=run.metrics,
                tags=tags,
                folder=Path(folder),
                inputs=(),
                location=None if settings().mlflow else f"file://{settings().folder}/mlartifacts",
            ),
        )
