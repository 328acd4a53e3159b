"""dataset, model -> scorecard: every model on one protocol, logged to MLflow."""

import tempfile
from pathlib import Path

from recloop.artifacts import Artifact, publishing
from recloop.config import Config
from recloop_pipelines.champion import champion
from recloop_pipelines.console import REPORT
from recloop_pipelines.places import announce
from recloop_pipelines.settings import opened, settings


def evaluate(*, config: Config, out: str, dataset: str, model: str) -> str:
    """dataset, model -> scorecard: the model beside the champion and every baseline, with intervals and slices."""
    from recloop.evaluation.cold_start import learn_router
    from recloop.evaluation.compare import compare

    source, made, serving = opened(dataset, kind="dataset"), opened(model, kind="model"), champion(config)
    parents = {"dataset": source, "model": made} | ({"champion": serving} if serving else {})
    with publishing(out, kind="scorecard", parents=parents, config=config.evaluation.model_dump(mode="json")) as draft:
        card, users = compare(
            source.path,
            made.path,
            champion=(serving.path / "model", serving.digest) if serving else None,
            config=config,
            facts=made.manifest.metrics,
            progress=REPORT.get(),
        )
        card = card.of_groups(config.privacy.k)
        card.save(draft.path)
        learn_router(source.path, made.path, config=config).save(draft.path)
        users.write_parquet(draft.path / "per_user.parquet")
        draft.metrics |= {
            f"{view}_{config.gate.metric}": card.models["model"][view][config.gate.metric].value
            for view in ("all", "new")
        }
    announce(config, "scorecard", out)
    _log(config, opened(out, kind="scorecard"), source, made)
    return out


def run_of(config: Config, card: Artifact) -> str:
    """Idempotency key of the MLflow run of a scorecard."""
    return f"{config.scenario}/{card.digest[:16]}"


def _log(config: Config, made: Artifact, dataset: Artifact, model: Artifact) -> str:
    """Log the scorecard to MLflow, with plots, config and the hashes of what it came from -> run id."""
    from recloop import registry
    from recloop.evaluation.plots import plot
    from recloop.evaluation.scorecard import Scorecard

    card = Scorecard.load(made.path)
    with tempfile.TemporaryDirectory() as folder:
        plot(card, Path(folder), metric=config.gate.metric)
        card.save(Path(folder))
        (Path(folder) / "config.json").write_text(config.model_dump_json(indent=1))
        return registry.log_run(
            settings().mlflow_uri,
            registry.Run(
                experiment=config.scenario,
                name=made.uri.rsplit("/", 1)[-1],
                key=run_of(config, made),
                params=config.model_dump(mode="json"),
                metrics=card.flat(),
                tags={
                    "protocol": card.protocol.hash,
                    "dataset": dataset.digest,
                    "model": model.digest,
                    "scorecard": made.digest,
                    "scorecard.uri": made.uri,
                    "champion": card.champion or "none",
                },
                folder=Path(folder),
                inputs=tuple(
                    registry.Input(name, seen.digest, seen.uri)
                    for name, seen in (("dataset", dataset), ("model", model))
                ),
                location=None if settings().mlflow else f"file://{settings().folder}/mlartifacts",
            ),
        )
