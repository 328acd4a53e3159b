"""The profile of a fit -> a run of MLflow."""

from pathlib import Path

from recloop.artifacts import Artifact
from recloop.config import Config
from recloop_pipelines.console import REPORT
from recloop_pipelines.tracked import Tracked, track


def log_profile(config: Config, model: Artifact, work: Path) -> None:
    """Log what the fit's profiler wrote into `work`, as the run `<model> profile` of the scenario; says where there is none."""
    from recloop.models.profiling import FOLDER

    files = tuple(sorted((work / FOLDER).glob("*")))
    if not files:
        REPORT.get()(f"no profile: torch took no step in fitting {config.model.kind}", 1.0)
        return
    run = Tracked(
        name=f"{model.uri.rsplit('/', 1)[-1]} profile",
        key=f"{config.scenario}/profile/{model.digest[:16]}",
        params={"kind": config.model.kind, "trainer": config.trainer.model_dump(mode="json")},
        metrics=model.manifest.metrics,
        files=files,
    )
    track(config.scenario, run, (), tags={"model": model.digest, "model.uri": model.uri})
