"""data, one kind of model -> its settings: trials on the window before the test, resumable, by several workers at once."""

import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import yaml

from recloop.config import Config
from recloop.config.spaces import SPACES, Space
from recloop.errors import BadConfig, BadData, Stopped
from recloop_pipelines.apart import VALUES, apart
from recloop_pipelines.asking import configured, dataset_of, laid, metric_of, named, nested
from recloop_pipelines.console import REPORT, Steps
from recloop_pipelines.keeping import saved, written
from recloop_pipelines.settings import settings
from recloop_pipelines.studies import at, storage_of, study_of, suggested, within
from recloop_pipelines.tracked import Tracked, track

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from recloop.data.dataset import Dataset
    from recloop.evaluation.rounds import Round

RUNGS = (0.25, 1.0)
"""shares of the users that a trial learns from and is judged on; between them the worse half is given up"""
FEW = 2_000
"""users below which a part of them decides nothing"""


@dataclass(frozen=True)
class Asked:
    """What is to be tuned, and how long."""

    data: str
    model: str
    trials: int
    format: str = ""
    protocol: str = ""
    config: Path | None = None
    sets: tuple[str, ...] = ()
    workers: int = 1
    metric: str = "ndcg"
    k: int = 10
    repeats: bool = False
    seconds: float | None = None
    prune: bool = True
    out: Path | None = None
    mlflow: bool = True


@dataclass(frozen=True)
class Tuned:
    """The best settings, and every trial."""

    study: str
    model: str
    metric: str
    value: float
    first: float | None
    """value of the settings as they were configured; None where they lie outside of the space"""
    settings: dict[str, Any]
    trials: tuple[dict[str, Any], ...]
    folder: str


@dataclass(frozen=True)
class Bench:
    """What all trials of a study share."""

    config: Config
    kind: str
    space: Space
    places: tuple[Path, ...]
    """a dataset a rung"""
    work: Path
    asked: Asked
    protocol: str


def tune(asked: Asked, steps: Steps) -> Tuned:
    """Run trials until the study has as many as asked -> the best settings. The test is never looked at.

    Another process that asks for the same works on the same study. Raises BadConfig, BadData; Stopped where every trial
    failed.
    """
    from recloop.evaluation import folds

    kind = next(iter(named([asked.model]).values()))
    space = _space(kind)
    metric_of(asked.metric)
    config = configured(asked.data, format_=asked.format, overlay=asked.config, sets=asked.sets)
    protocol = asked.protocol or config.split.kind
    with steps.step("reading the data"):
        dataset = dataset_of(config, protocol=protocol, folds=1)[-1]
        folds.answers(dataset, folds.rehearsal(dataset).test, repeats=asked.repeats)
        benchmark = folds.benchmark((dataset,), config.split, k=asked.k, repeats=asked.repeats)
        key = _key(config, kind, space, asked, benchmark.hash)
        study = f"{config.scenario}-{kind}-{key}"
        out = (asked.out or settings().folder / "tuning" / study).absolute()
        places = _saved(dataset, out / "data" / key, prune=asked.prune, seed=config.seed)
    bench = Bench(config, kind, space, places, out / "work", asked, benchmark.hash)
    made = study_of(study, storage_of(settings().database), config.seed)
    _first(made, bench)
    _search(made, bench, steps)
    found = _tuned(made, bench, out)
    with steps.step("writing the settings"):
        _write(found, bench, out)
        if asked.mlflow:
            _log(found, bench, out)
    return found


def _space(kind: str) -> Space:
    if kind not in SPACES:
        raise BadConfig(f"{kind} has no settings to tune; kinds that have some are {', '.join(sorted(SPACES))}.")
    return SPACES[kind]


def _key(config: Config, kind: str, space: Space, asked: Asked, protocol: str) -> str:
    """Eight hex digits of all that a trial's value depends on but its own settings."""
    said = {
        "space": {name: asdict(where) for name, where in space.items()},
        "model": config.model.model_dump(mode="json"),
        "trainer": config.trainer.model_dump(mode="json"),
        "asked": [kind, asked.metric, asked.k, asked.repeats, asked.prune, config.seed, protocol],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:8]


def _saved(dataset: "Dataset", folder: Path, *, prune: bool, seed: int) -> tuple[Path, ...]:
    """The dataset of each rung, on disk for the processes of the trials."""
    from recloop.evaluation.folds import part

    shares = RUNGS if prune and len(dataset.users) >= FEW else RUNGS[-1:]
    return tuple(saved(part(dataset, share, seed=seed), folder / f"{share:g}") for share in shares)


def _first(study: "Study", bench: Bench) -> None:
    """The settings as they are configured come first, where the space holds them: tuning must beat them."""
    configured_ = {name: at(bench.config.model, name) for name in bench.space}
    if all(within(bench.space[name], value) for name, value in configured_.items()):
        study.enqueue_trial(configured_, skip_if_exists=True, user_attrs={"configured": True})


def _search(study: "Study", bench: Bench, steps: Steps) -> None:
    from optuna.study import MaxTrialsCallback
    from optuna.trial import TrialState

    done = (TrialState.COMPLETE, TrialState.PRUNED)
    left = bench.asked.trials - len(study.get_trials(deepcopy=False, states=done))
    if left <= 0:
        return
    until = monotonic() + bench.asked.seconds if bench.asked.seconds is not None else inf
    search = partial(
        study.optimize,
        lambda trial: _value(trial, bench, steps),
        catch=(BadData, Stopped),
        callbacks=[MaxTrialsCallback(bench.asked.trials, states=done)],
    )
    waiting = len(study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
    # two workers may take one waiting trial, and the slower one of them then fails: what waits is for one alone
    if waiting:
        search(n_trials=min(left, waiting), timeout=_left(until))
    if left > waiting:
        search(n_trials=left - waiting, n_jobs=bench.asked.workers, timeout=_left(until))


def _left(until: float) -> float | None:
    """Seconds to a moment; None where there is no end."""
    return None if until == inf else max(0.0, until - monotonic())


def _value(trial: "Trial", bench: Bench, steps: Steps) -> float:
    """Mean metric of one setting on the window before the test, over the users of the last rung."""
    import optuna

    from recloop.evaluation.rounds import Round

    drawn = {name: suggested(trial, name, where) for name, where in bench.space.items()}
    model = bench.config.model.model_dump(mode="json")
    for name, value in drawn.items():
        model = laid(model, nested(name.split("."), value))
    value = 0.0
    with steps.step(f"trial {trial.number}"):
        for rung, place in enumerate(bench.places):
            item = Round(
                name=f"trial-{trial.number}",
                kind=bench.kind,
                seed=bench.config.seed,
                fold=rung,
                k=bench.asked.k,
                repeats=bench.asked.repeats,
                protocol=bench.protocol,
                model=model,
                trainer=bench.config.trainer.model_dump(mode="json"),
                rehearsed=True,
            )
            value = _judged(item, place, bench)
            trial.report(value, rung)
            if rung < len(bench.places) - 1 and trial.should_prune():
                raise optuna.TrialPruned
    return value


def _judged(item: "Round", dataset: Path, bench: Bench) -> float:
    import polars as pl

    folder = bench.work / f"{item.slug}-{item.hash}"
    folder.mkdir(parents=True, exist_ok=True)
    report = REPORT.get()
    try:
        for step in ("fit", "judge"):
            apart(step, item, dataset=dataset, folder=folder, threads=bench.config.trainer.threads, report=report)
        values = pl.read_parquet(folder / VALUES)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return float(values[bench.asked.metric].fill_nan(None).mean() or 0.0)  # type: ignore[arg-type]


def _tuned(study: "Study", bench: Bench, out: Path) -> Tuned:
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    done = [t for t in trials if t.state == TrialState.COMPLETE]
    if not done:
        raise Stopped(
            f"None of {len(trials)} trials of {study.study_name} came to an end, so nothing can be chosen. Fit the kind "
            f"once to see why: recloop compare --data {bench.asked.data} --models {bench.kind} --seeds 1"
        )
    best = max(done, key=lambda t: (t.value or 0.0, -t.number))
    first = next((t.value for t in done if t.user_attrs.get("configured")), None)
    return Tuned(
        study=study.study_name,
        model=bench.kind,
        metric=f"{bench.asked.metric}@{bench.asked.k}",
        value=float(best.value or 0.0),
        first=first,
        settings=dict(sorted(best.params.items())),
        trials=tuple(_plain(t) for t in trials),
        folder=str(out),
    )


def _plain(trial: "FrozenTrial") -> dict[str, Any]:
    seconds = trial.duration.total_seconds() if trial.duration else None
    return {
        "number": trial.number,
        "state": trial.state.name.lower(),
        "value": trial.value,
        "settings": dict(sorted(trial.params.items())),
        "rungs": {str(n): v for n, v in sorted(trial.intermediate_values.items())},
        "seconds": seconds,
    }


def _write(found: Tuned, bench: Bench, out: Path) -> None:
    """best.yaml, which `recloop compare --config` and a scenario take, and trials.json."""
    model: dict[str, Any] = {}
    for name, value in found.settings.items():
        model = laid(model, nested(name.split("."), value))
    out.mkdir(parents=True, exist_ok=True)
    written(out / "best.yaml", yaml.safe_dump({"model": model}, sort_keys=True))
    written(out / "trials.json", json.dumps(asdict(found) | {"folder": ""}, sort_keys=True, indent=1))
    # another process may still be at work on the study
    with suppress(OSError):
        bench.work.rmdir()


def _log(found: Tuned, bench: Bench, out: Path) -> None:
    """One run for the study, and below it one a trial that ended. A study that grew is another run."""
    ended = [t for t in found.trials if t["state"] in {"complete", "pruned"}]
    key, metric, kind = f"{found.study}/{len(ended)}", bench.asked.metric, {"kind": found.model}
    files = (out / "best.yaml", out / "trials.json")
    whole = Tracked(found.study, key, found.settings | kind, {metric: found.value}, files)
    parts = [
        Tracked(f"trial {t['number']}", f"{key}/{t['number']}", t["settings"] | kind, _known(metric, t["value"]))
        for t in ended
    ]
    track(f"{bench.config.scenario}-tuning", whole, parts, tags={"protocol": bench.protocol})


def _known(metric: str, value: float | None) -> dict[str, float]:
    return {} if value is None else {metric: value}
