"""checked -> dataset -> model."""

import shutil
from dataclasses import replace
from pathlib import Path

from recloop.artifacts import Artifact, publishing
from recloop.config import Config
from recloop_pipelines.champion import champion
from recloop_pipelines.fitting import Order, fitted
from recloop_pipelines.places import announce, required
from recloop_pipelines.profiled import log_profile
from recloop_pipelines.settings import opened, settings


def prepare(*, config: Config, out: str, checked: str = "") -> str:
    """checked -> dataset: a split in time, vocabularies grown from the champion's, coded events."""
    import polars as pl

    from recloop.data import split
    from recloop.data.dataset import read_attributes
    from recloop.data.vocabulary import Vocabulary

    source = opened(checked or required(config, "checked"), kind="checked")
    serving = champion(config)
    previous = None
    if serving:
        previous = (Vocabulary.load(serving.path / "users.json"), Vocabulary.load(serving.path / "items.json"))
    with publishing(
        out, kind="dataset", parents=_parents(serving, checked=source), config=config.split.model_dump(mode="json")
    ) as draft:
        # checked events lie in time already, so their ids, half of the file, need not be read
        events = pl.read_parquet(source.path / "events.parquet", columns=list(split.NEEDED))
        dataset = split.build(events, pl.read_parquet(source.path / "items.parquet"), config.split, previous=previous)
        replace(dataset, attributes=read_attributes(source.path)).save(draft.path)
        draft.metrics |= {"events": dataset.events.height, "users": len(dataset.users), "items": len(dataset.items)}
    announce(config, "dataset", out)
    return out


def fit(*, config: Config, out: str, dataset: str) -> str:
    """dataset -> model of the configured kind, warm-started from the champion; a killed fit goes on where it was."""
    source = opened(dataset, kind="dataset")
    serving = champion(config)
    work = _work(config, out)
    with publishing(
        out,
        kind="model",
        parents=_parents(serving, dataset=source),
        config=config.model.model_dump(mode="json") | {"trainer": config.trainer.model_dump(mode="json")},
    ) as draft:
        warm = serving.path / "model" if serving else None
        draft.metrics |= fitted(Order(config, dataset=source.path, out=draft.path, work=work, warm=warm))
    if config.trainer.profile:
        log_profile(config, opened(out, kind="model"), work)
    shutil.rmtree(work, ignore_errors=True)
    announce(config, "model", out)
    return out


def _parents(serving: Artifact | None, **inputs: Artifact) -> dict[str, Artifact]:
    return inputs | ({"champion": serving} if serving else {})


def _work(config: Config, out: str) -> Path:
    """Where a fit keeps its checkpoints until it is published: the same place when the step is tried again."""
    work = settings().folder / "work" / config.scenario / out.rsplit("/", 1)[-1]
    work.mkdir(parents=True, exist_ok=True)
    return work
