"""What benchmarks of several models share: data and models as `recloop compare` names them, fits, and means over users."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.config import Config
from recloop.data.dataset import Dataset
from recloop.evaluation import intervals
from recloop.models import family
from recloop.models.ranked import Recommender
from recloop.models.task import Task
from recloop_pipelines.asking import configured, dataset_of, named
from recloop_pipelines.sets import fetched


def configs(data: str, models: str, sets: list[str]) -> dict[str, Config]:
    """name -> its configuration; `name:key=value` is of that name only."""
    kinds, found = named(models.split(",")), {}
    for name, kind in kinds.items():
        own = [word.removeprefix(f"{name}:") for word in sets if word.partition(":")[0] not in kinds.keys() - {name}]
        found[name] = configured(data, sets=[*own, f"model.kind={kind}"])
    return found


def dataset_by(config: Config) -> Dataset:
    """The data of a configuration; a public set is fetched first (RECLOOP_DATA_MIRROR is asked first)."""
    if config.data.source == "public" and config.data.events:
        fetched(config.data.events)
    (made,) = dataset_of(config, protocol=config.split.kind, folds=1)
    return made


def fitted(config: Config, dataset: Dataset, seed: int) -> Recommender:
    """Fit on everything before the test window."""
    with tempfile.TemporaryDirectory() as folder:
        out, work = Path(folder, "out"), Path(folder, "work")
        out.mkdir()
        work.mkdir()
        family.fit(config.model.kind, Task(dataset, dataset.test, config.model, config.trainer, seed, out, work))
        return family.load(out, threads=config.trainer.threads)


def estimates(runs: list[dict[str, NDArray[np.float64]]]) -> dict[str, dict[str, float | int | list[float]]]:
    """One run a seed, a value a user -> mean, interval and number of users of each name, and the mean of each seed."""
    found: dict[str, dict[str, float | int | list[float]]] = {}
    for name in runs[0]:
        table = np.stack([run[name] for run in runs])
        some = np.isfinite(table).any(axis=0)
        own = intervals.mean(np.nanmean(table[:, some], axis=0), times=1000, confidence=0.95, seed=0)
        found[name] = {
            "mean": round(own.value, 4),
            "low": round(own.low, 4),
            "high": round(own.high, 4),
            "n": own.n,
            "seeds": [round(float(np.nanmean(run)), 4) for run in table],
        }
    return found
