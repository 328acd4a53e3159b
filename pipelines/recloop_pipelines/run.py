"""The whole loop up to a release, in one process: the pipeline behind `recloop run`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recloop.artifacts import read_manifest
from recloop.config import Config
from recloop_pipelines import evaluate, ingest, release, train
from recloop_pipelines.console import Steps
from recloop_pipelines.lease import leased, myself
from recloop_pipelines.places import KINDS, place


@dataclass(frozen=True)
class Outcome:
    """What a run made: artefact URIs by kind (release is None where the gate refused), and seconds by step."""

    artifacts: dict[str, str | None]
    seconds: dict[str, float]

    @property
    def released(self) -> bool:
        """A release serves now that this run made."""
        return self.artifacts["release"] is not None


def run(config: Config, *, name: str, steps: Steps) -> Outcome:
    """collect -> check -> prepare -> fit -> evaluate -> release. Raises Busy where another run holds the scenario.

    What the gate lets pass serves at once: a canary is judged by a running service, which this pipeline does without.
    """
    made: dict[str, str | None] = {}

    def take(step: Callable[..., str | None], **inputs: Any) -> Any:
        kind = KINDS[step.__name__]
        with steps.step(f"{step.__name__} -> {kind}"):
            made[kind] = step(config=config, out=place(config, kind, name), **inputs)
        return made[kind]

    with leased(config.scenario, holder=myself(f"recloop run {name}")):
        events = take(ingest.collect)
        checked = take(ingest.check, events=events)
        dataset = take(train.prepare, checked=checked)
        model = take(train.fit, dataset=dataset)
        scorecard = take(evaluate.evaluate, dataset=dataset, model=model)
        take(release.release, dataset=dataset, model=model, scorecard=scorecard, canary=0.0)
    return Outcome(made, {step.split(" ")[0]: s for step, s in steps.seconds.items()})


def digests(outcome: Outcome) -> dict[str, str]:
    """Digest of each artefact that a run made, by kind."""
    return {kind: read_manifest(uri, kind=kind).digest for kind, uri in outcome.artifacts.items() if uri}
