"""MLflow: runs that compare in its UI, model versions, and aliases mirrored from the pointer (never the truth).

A server is asked for a sign of life before every call, so that a dead one is named within PROBE seconds. One that dies in the
middle of a call is up to MLflow's own retries, whose limits it reads from the environment: whoever starts the process sets
MLFLOW_HTTP_REQUEST_MAX_RETRIES and MLFLOW_HTTP_REQUEST_TIMEOUT.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from recloop.artifacts.pointer import Pointer
from recloop.errors import BadData, Unavailable

KEY = "recloop.key"
"""tag: one run or version a key, however often a task is tried"""
DIGEST = "recloop.digest"
BATCH = 100
PROBE = 5.0
"""seconds to connect, and again to answer"""
LONGEST = 6000
"""characters of a parameter that MLflow keeps"""
DIGITS = 36
"""of a digest that MLflow keeps"""
EXISTS, REFUSED = (
    "RESOURCE_ALREADY_EXISTS",
    ("BAD_REQUEST", "INVALID_PARAMETER_VALUE", "PERMISSION_DENIED", "RESOURCE_DOES_NOT_EXIST", "UNAUTHENTICATED"),
)


@dataclass(frozen=True)
class Input:
    """An artefact that a run looked at; two runs with one digest saw the same bytes."""

    name: str
    digest: str
    uri: str


@dataclass(frozen=True)
class Run:
    """What is logged of one scorecard."""

    experiment: str
    name: str
    key: str
    params: Mapping[str, Any]
    """nested; flattened with dots"""
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    folder: Path
    """files that become the run's artefacts"""
    inputs: tuple[Input, ...]
    location: str | None = None
    """where a new experiment keeps artefacts; None leaves it to the server"""


def log_run(uri: str, run: Run) -> str:
    """Log a run with its files -> its id; the same key again gives the run that is there, or ends what was begun.

    Raises Unavailable, and BadData where MLflow refuses.
    """
    with _calling(uri) as client:
        experiment = _experiment(client, run.experiment, run.location)
        found = client.search_runs([experiment], f"tags.`{KEY}` = '{run.key}'")
        done = [r for r in found if r.info.status == "FINISHED"]
        if done:
            return str(done[0].info.run_id)
        made = found[0] if found else client.create_run(experiment, run_name=run.name, tags={KEY: run.key})
        _fill(client, made.info.run_id, made.info.start_time, run)
        client.set_terminated(made.info.run_id)
        return str(made.info.run_id)


def find_run(uri: str, experiment: str, key: str) -> str:
    """Id of the run that was logged under a key. Raises Unavailable where there is none yet."""
    with _calling(uri) as client:
        known = client.get_experiment_by_name(experiment)
        found = client.search_runs([known.experiment_id], f"tags.`{KEY}` = '{key}'", max_results=1) if known else []
        if not found:
            raise Unavailable(f"MLflow at {uri} has no run {key} in {experiment}. Evaluate again: `recloop evaluate`.")
        return str(found[0].info.run_id)


def page(uri: str, experiment: str) -> str:
    """Address of the page that lists and compares the runs of an experiment. Raises Unavailable where there is none yet."""
    with _calling(uri) as client:
        known = client.get_experiment_by_name(experiment)
        if known is None:
            raise Unavailable(f"MLflow at {uri} has no experiment {experiment}. Evaluate first: `recloop evaluate`.")
        return f"{uri}/#/experiments/{known.experiment_id}/runs"


def _fill(client: MlflowClient, run_id: str, moment: int, run: Run) -> None:
    metrics = [Metric(k, float(v), moment, 0) for k, v in sorted(run.metrics.items())]
    params = [Param(k, str(v)[:LONGEST]) for k, v in sorted(flat(run.params).items())]
    tags = [RunTag(k, v) for k, v in sorted(run.tags.items())]
    for start in range(0, max(len(metrics), len(params)), BATCH):
        part = slice(start, start + BATCH)
        client.log_batch(run_id, metrics=metrics[part], params=params[part], tags=tags if start == 0 else [])
    client.log_inputs(run_id, [_input(i) for i in run.inputs])
    client.log_artifacts(run_id, str(run.folder))


def _input(made: Input) -> DatasetInput:
    kind = "s3" if made.uri.startswith("s3:") else "local"
    source = json.dumps({"uri": made.uri})
    return DatasetInput(
        Dataset(made.name, made.digest[:DIGITS], kind, source), [InputTag("mlflow.data.context", "evaluation")]
    )


def _experiment(client: MlflowClient, name: str, location: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    try:
        return str(client.create_experiment(name, artifact_location=location))
    except MlflowException as error:
        made = client.get_experiment_by_name(name)
        if error.error_code != EXISTS or made is None:
            raise
        return str(made.experiment_id)


def register(uri: str, model: str, *, run_id: str, source: str, digest: str, tags: Mapping[str, str]) -> str:
    """Register a release bundle as a version of the scenario's model -> version; the same digest gives the same version."""
    with _calling(uri) as client:
        known = version_of(client, model, digest)
        if known is not None:
            return known
        _ensure(client, model)
        made = client.create_model_version(model, source, run_id=run_id, tags={DIGEST: digest, **tags})
        return str(made.version)


def _ensure(client: MlflowClient, model: str) -> None:
    try:
        if not _aliases(client, model)[0]:
            client.create_registered_model(model)
    except MlflowException as error:
        if error.error_code != EXISTS:
            raise


def _aliases(client: MlflowClient, model: str) -> tuple[bool, dict[str, str]]:
    """Whether the model is registered, and its aliases: version."""
    found = client.search_registered_models(f"name = '{model}'")
    return bool(found), {alias: str(v) for alias, v in found[0].aliases.items()} if found else {}


def version_of(client: MlflowClient, model: str, digest: str) -> str | None:
    """The version that holds a digest, or None."""
    found = [v for v in client.search_model_versions(f"name = '{model}'") if v.tags.get(DIGEST) == digest]
    return str(found[0].version) if found else None


def mirror(uri: str, model: str, pointer: Pointer) -> dict[str, str]:
    """Set the aliases champion and previous as the pointer says -> alias: version. Repairs what drifted.

    A release that MLflow does not know has no version, and its alias is taken away rather than left on another.
    """
    with _calling(uri) as client:
        wanted = {"champion": pointer.digest, "previous": pointer.previous_digest}
        versions = {alias: digest and version_of(client, model, digest) for alias, digest in wanted.items()}
        held = _aliases(client, model)[1]
        for alias, version in versions.items():
            if version is None and alias in held:
                client.delete_registered_model_alias(model, alias)
            elif version is not None and held.get(alias) != version:
                client.set_registered_model_alias(model, alias, version)
        return {alias: version for alias, version in versions.items() if version}


def challenge(uri: str, model: str, version: str) -> None:
    """Set the alias challenger: the newest version that was judged."""
    with _calling(uri) as client:
        client.set_registered_model_alias(model, "challenger", version)


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mapping -> one level, names joined by dots."""
    out: dict[str, Any] = {}
    for name, item in value.items():
        key = f"{prefix}{name}"
        out |= flat(item, f"{key}.") if isinstance(item, Mapping) else {key: item}
    return out


@contextmanager
def _calling(uri: str) -> Iterator[MlflowClient]:
    """A client of one tracking server; its failures become Unavailable, what it refuses BadData."""
    try:
        _probe(uri)
        yield MlflowClient(tracking_uri=uri, registry_uri=uri)
    except (MlflowException, requests.RequestException) as error:
        if isinstance(error, MlflowException) and error.error_code in REFUSED:
            raise BadData(
                f"MLflow at {uri} refused: {str(error)[:300]}. Put right what it names, there or in RECLOOP_MLFLOW, and run "
                "the step again."
            ) from error
        raise Unavailable(
            f"MLflow at {uri} did not answer: {str(error)[:300]}. Nothing is lost: check `recloop status`, run the step again."
        ) from error


def _probe(uri: str) -> None:
    """Any answer is a sign of life. Raises requests' ConnectionError or Timeout."""
    if uri.startswith(("http://", "https://")):
        # certificates are judged by the client, which has its own settings for them
        with suppress(requests.exceptions.SSLError):
            requests.get(f"{uri.rstrip('/')}/health", timeout=PROBE)
