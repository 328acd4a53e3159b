"""data, kinds of model -> one table: every kind fitted and judged on one protocol, with costs, resumable, logged to MLflow."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recloop.config import Config
from recloop.errors import BadConfig, BadData
from recloop_pipelines.apart import VALUES, apart
from recloop_pipelines.asking import configured, dataset_of, metric_of, named
from recloop_pipelines.console import REPORT, Steps
from recloop_pipelines.keeping import alone, saved, written
from recloop_pipelines.settings import settings
from recloop_pipelines.tracked import Tracked, track

if TYPE_CHECKING:
    from recloop.data.dataset import Dataset
    from recloop.evaluation.comparison import Comparison, Result
    from recloop.evaluation.leaks import Finding
    from recloop.evaluation.rounds import Round


FILES = ("comparison.json", "comparison.md", "comparison.png")


@dataclass(frozen=True)
class Asked:
    """What is to be compared, and how."""

    data: str
    models: tuple[str, ...]
    format: str = ""
    protocol: str = ""
    config: Path | None = None
    sets: tuple[str, ...] = ()
    seeds: int = 3
    k: int = 10
    folds: int = 3
    repeats: bool = False
    baseline: str = ""
    metric: str = "ndcg"
    out: Path | None = None
    fresh: bool = False
    canary: bool = False
    mlflow: bool = True


def compare(asked: Asked, steps: Steps) -> tuple["Comparison", Path]:
    """Fit and judge every model with every seed on every fold -> the table and the folder with all that was found.

    Rounds that are there with the same configuration are not done again. A model that refuses the data is left out, and said
    so. Raises BadConfig, BadData, Stopped; Busy where another process compares in the same folder.
    """
    from recloop.evaluation import comparison, folds, leaks
    from recloop.evaluation.leaks import Finding

    kinds = _kinds(asked)
    config = configured(asked.data, format_=asked.format, overlay=asked.config, sets=_shared(asked, kinds))
    configs = _configs(asked, kinds)
    with steps.step("reading the data"):
        datasets = dataset_of(config, protocol=asked.protocol or config.split.kind, folds=asked.folds)
        for dataset in datasets:
            folds.answers(dataset, folds.exam(dataset).test, repeats=asked.repeats)
        benchmark = folds.benchmark(datasets, config.split, k=asked.k, repeats=asked.repeats)
        findings = leaks.leaks(datasets[-1], folds.exam(datasets[-1]))
    out = (asked.out or settings().folder / "comparisons" / f"{config.scenario}-{benchmark.hash}").absolute()
    rounds = _rounds(asked, configs, kinds, benchmark.hash, len(datasets))
    with alone(out):
        results, refused = _all(rounds, datasets, out, steps, fresh=asked.fresh)
        rounds = [item for item in rounds if item.name not in refused]
        findings = (*findings, *(Finding(f"{n} was refused", "note", 1.0, 1, text) for n, text in refused.items()))
        if asked.canary:
            findings = (*findings, *_canaries(rounds, datasets[-1], out, steps))
        found = comparison.compared(
            results,
            benchmark,
            title=config.title or config.scenario,
            metric=asked.metric,
            baseline=asked.baseline,
            findings=findings,
            bootstrap=config.evaluation.bootstrap,
            confidence=config.evaluation.confidence,
            seed=config.seed,
            config={name: c.model_dump(mode="json", include={"model", "trainer"}) for name, c in configs.items()},
        )
        with steps.step("writing the table"):
            write(found, out)
            if asked.mlflow:
                _log(config.scenario, found, results, out)
    return found, out


def _kinds(asked: Asked) -> dict[str, str]:
    """Names and kinds; what the table is to be made by is looked at before anything is fitted."""
    kinds = named(asked.models)
    metric_of(asked.metric)
    if asked.baseline and asked.baseline not in kinds:
        raise BadConfig(f"--baseline {asked.baseline!r} is none of the models that are compared: {', '.join(kinds)}.")
    return kinds


def _configs(asked: Asked, kinds: dict[str, str]) -> dict[str, Config]:
    """Each model's configuration: `name:key=value` sets it for one name only."""
    own: dict[str, list[str]] = {name: [] for name in kinds}
    for word in asked.sets:
        name, sign, rest = word.partition(":")
        if sign and name in kinds and name.isidentifier():
            own[name].append(rest)
    every = _shared(asked, kinds)
    return {
        name: configured(asked.data, format_=asked.format, overlay=asked.config, sets=[*every, *words])
        for name, words in own.items()
    }


def _shared(asked: Asked, kinds: dict[str, str]) -> list[str]:
    return [word for word in asked.sets if word.partition(":")[0] not in kinds]


def _rounds(
    asked: Asked, configs: dict[str, Config], kinds: dict[str, str], protocol: str, folds: int
) -> list["Round"]:
    """Seed by seed, so that a comparison that was stopped early has something of every model."""
    from recloop.evaluation.rounds import Round

    return [
        Round(
            name=name,
            kind=kinds[name],
            seed=config.seed + nth,
            fold=fold,
            k=asked.k,
            repeats=asked.repeats,
            protocol=protocol,
            model=config.model.model_dump(mode="json"),
            trainer=config.trainer.model_dump(mode="json"),
        )
        for nth in range(asked.seeds)
        for name, config in configs.items()
        for fold in range(folds)
    ]


def _all(
    rounds: list["Round"], datasets: tuple["Dataset", ...], out: Path, steps: Steps, *, fresh: bool
) -> tuple[list["Result"], dict[str, str]]:
    """Results of all rounds, and why a model was refused, which has no part in the table. Raises BadData where all were."""
    results, refused = [], {}
    for item in rounds:
        if item.name in refused:
            continue
        with steps.step(item.slug):
            try:
                results.append(_done(item, datasets[item.fold], out, fresh=fresh))
            except BadData as error:
                refused[item.name] = str(error)
    kept = [result for result in results if result.name not in refused]
    if not kept:
        raise BadData("No model could be compared. " + " ".join(refused.values()))
    return kept, refused


def _done(item: "Round", dataset: "Dataset", out: Path, *, fresh: bool) -> "Result":
    """The result of a round: from its files, or done now in processes of its own."""
    place = out / "rounds" / f"{item.slug}-{item.hash}.json"
    values, work = place.with_suffix(".parquet"), _work(item, out)
    if fresh:
        place.unlink(missing_ok=True)
        shutil.rmtree(work, ignore_errors=True)
    if not place.exists() or not values.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        known = _made(item, dataset, work, _data(item, out), values)
        written(place, json.dumps(known | {"round": asdict(item)}, sort_keys=True, indent=1))
    return _result(item, json.loads(place.read_text()), values)


def _work(item: "Round", out: Path) -> Path:
    """Where it is fitted; a fit that was killed finds its checkpoints there again."""
    return out / "work" / f"{item.slug}-{item.hash}"


def _data(item: "Round", out: Path) -> Path:
    return out / "data" / f"{item.protocol}-{item.fold}"


def _made(item: "Round", dataset: "Dataset", folder: Path, data: Path, values: Path) -> dict[str, Any]:
    fitted = _step("fit", item, dataset, data, folder)
    judged = _step("judge", item, dataset, data, folder)
    shutil.move(folder / VALUES, values)
    shutil.rmtree(folder)
    digest = fitted.pop("digest")
    return {"catalogue": judged["catalogue"], "costs": judged["costs"] | fitted, "digest": digest}


def _step(step: str, item: "Round", dataset: "Dataset", data: Path, folder: Path) -> dict[str, Any]:
    """One step of a round in a child; the dataset is put on disk for it once."""
    folder.mkdir(parents=True, exist_ok=True)
    report, threads = REPORT.get(), int(item.trainer["threads"])
    return apart(step, item, dataset=saved(dataset, data), folder=folder, threads=threads, report=report)


def _canaries(rounds: list["Round"], dataset: "Dataset", out: Path, steps: Steps) -> Iterator["Finding"]:
    """Fit each model of the newest fold once more, on data whose hidden part is another -> whether that changed it."""
    from recloop.evaluation.leaks import planted, sang

    for item in {r.name: r for r in reversed(rounds) if r.fold == rounds[-1].fold}.values():
        folder, data = (p.with_name(f"{p.name}-canary") for p in (_work(item, out), _data(item, out)))
        # what a killed one left there was fitted on the same data, but maybe by other code
        shutil.rmtree(folder, ignore_errors=True)
        own = json.loads((out / "rounds" / f"{item.slug}-{item.hash}.json").read_text())["digest"]
        with steps.step(f"canary of {item.name}"):
            other = _step("fit", item, planted(dataset, item.exam(dataset)), data, folder)["digest"]
        shutil.rmtree(folder)
        yield sang(item.name, own, other)


def _result(item: "Round", known: dict[str, Any], values: Path) -> "Result":
    import polars as pl

    from recloop.evaluation.comparison import Result

    return Result(
        name=item.name,
        kind=item.kind,
        seed=item.seed,
        fold=item.fold,
        protocol=item.protocol,
        values=pl.read_parquet(values),
        catalogue=known["catalogue"],
        costs=known["costs"],
    )


def write(found: "Comparison", out: Path) -> None:
    """comparison.json, comparison.md, comparison.png."""
    from recloop.evaluation.comparison_plot import plot
    from recloop.evaluation.comparison_table import markdown

    out.mkdir(parents=True, exist_ok=True)
    written(out / "comparison.json", found.dumps())
    written(out / "comparison.md", markdown(found))
    plot(found, out / "comparison.png")


def _log(scenario: str, found: "Comparison", results: list["Result"], out: Path) -> None:
    """One run for the table, and below it one a model and seed."""
    key = hashlib.sha256(found.dumps().encode()).hexdigest()[:16]
    best = found.entries[found.ranking[0]].metrics
    whole = Tracked(
        name=f"{found.protocol.kind} {found.protocol.hash}",
        key=key,
        params={"protocol": asdict(found.protocol), "models": found.ranking, "metric": found.metric},
        metrics={f"best.{m}": e.value for m, e in best.items() if e.n},
        files=tuple(out / name for name in FILES),
    )
    parts = []
    for name, seed in dict.fromkeys((r.name, r.seed) for r in results):
        own = [r for r in results if (r.name, r.seed) == (name, seed)]
        params = {"kind": own[0].kind, "seed": seed, **found.config[name]["model"]}
        parts.append(Tracked(f"{name} seed {seed}", f"{key}/{name}/{seed}", params, _figures(own)))
    tags = {"protocol": found.protocol.hash, "data": found.protocol.data, "baseline": found.baseline}
    track(f"{scenario}-comparison", whole, parts, tags=tags)


def _figures(results: list["Result"]) -> dict[str, float]:
    """Means over the folds, flat."""
    import numpy as np
    import polars as pl

    values = pl.concat([r.values for r in results]).select(pl.exclude("user").fill_nan(None).mean()).row(0, named=True)
    found = {m: v for m, v in values.items() if v is not None}
    for part in ("catalogue", "costs"):
        names = getattr(results[0], part)
        found |= {f"{part}.{n}": float(np.mean([getattr(r, part)[n] for r in results])) for n in names}
    return found
