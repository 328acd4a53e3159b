"""What benchmarks of several models share: data and models as `recloop compare` names them, fits, and means over users."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from contract import say
from numpy.typing import NDArray

from recloop.config import Config
from recloop.data.dataset import Dataset
from recloop.evaluation import intervals
from recloop.models import family
from recloop.models.ranked import Recommender
from recloop.models.task import Task
from recloop_pipelines.asking import configured, dataset_of, named
from recloop_pipelines.sets import fetched

Values = dict[str, NDArray[np.float64]]
"""a value a user, by name"""
Estimates = dict[str, dict[str, float | int | list[float]]]


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


def judged_by_seed(
    each: dict[str, Config], seeds: int, prepared: Callable[[int], tuple[Dataset, Callable[[Recommender], Values]]]
) -> dict[str, Estimates]:
    """Fit every model on every seed's data and judge it -> estimates by name. `prepared`: seed -> data and its judge."""
    runs: dict[str, list[Values]] = {name: [] for name in each}
    for seed in range(1, seeds + 1):
        dataset, judge = prepared(seed)
        for name, config in each.items():
            say(f"seed {seed}: {name}")
            runs[name].append(judge(fitted(config, dataset, seed)))
    return {name: estimates(own) for name, own in runs.items()}


def rows_of(found: dict[str, Estimates]) -> list[tuple[str, ...]]:
    """Estimates by model -> rows of a table: model, name, mean, interval, users; models lie together by name."""
    return [
        (model, name, f"{one['mean']:.4f}", f"{one['low']:.4f} .. {one['high']:.4f}", str(one["n"]))
        for name in next(iter(found.values()))
        for model, one in ((model, own[name]) for model, own in found.items())
    ]


def estimates(runs: list[Values]) -> Estimates:
    """One run a seed, a value a user -> mean, interval and number of users of each name, and the mean of each seed."""
    found: Estimates = {}
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
