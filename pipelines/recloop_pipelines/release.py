"""scorecard, model, dataset -> release: the gate, the bundle, the trial in a copy of the server, the pointer."""

import json
import logging
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recloop.artifacts import Artifact, Pointer, current, open_store, promote, publishing
from recloop.config import Config
from recloop.errors import BadArtifact, BadData, BadRelease, Permanent, Unavailable
from recloop_pipelines import rollouts
from recloop_pipelines.airflow_api import wake
from recloop_pipelines.champion import pointer
from recloop_pipelines.console import REPORT
from recloop_pipelines.evaluate import run_of
from recloop_pipelines.places import announce
from recloop_pipelines.settings import opened, settings

if TYPE_CHECKING:
    from recloop.serving.rollout import Rollout

MEGA = 1e6
LOG = logging.getLogger(__name__)


def release(
    *,
    config: Config,
    out: str,
    dataset: str,
    model: str,
    scorecard: str,
    canary: float | None = None,
    shadow: bool = False,
) -> str | None:
    """scorecard, model, dataset -> release, and the pointer moves to it; None where the gate refused, with its reasons.

    canary: share of users on which the release is tried first; None: what experiments.canary says, where something serves.
    shadow: try it on copied questions instead. The pointer then stays until the running service has judged the canary, or a
    person has promoted the shadow.
    """
    from recloop.evaluation.gate import Cost, judge
    from recloop.evaluation.scorecard import Scorecard

    card_made = opened(scorecard, kind="scorecard")
    card = Scorecard.load(card_made.path)
    serving = pointer(config)
    _same_champion(card.champion, serving)
    canary = _share(config, canary, shadow=shadow, serving=serving)
    if canary or shadow:
        rollouts.ready(config, serving)
    bundle = _bundle(config, out, opened(dataset, kind="dataset"), opened(model, kind="model"), card_made)
    REPORT.get()("trying the bundle in a copy of the server", 0.3)
    trial = _try(config, bundle)
    size = sum(file.size for file in bundle.manifest.files.values()) / MEGA
    decision = judge(card, config.gate, baselines=config.evaluation.baselines, cost=Cost(trial, size))
    REPORT.get()("telling MLflow", 0.8)
    version = _register(config, bundle, card_made, decision.release, decision.reasons)
    for reason in decision.reasons:
        LOG.info("%s: %s", "released" if decision.release else "refused", reason)
    if not decision.release:
        _write_verdict(config, out, decision.release, decision.reasons)
        return None
    if canary or shadow:
        mode: Literal["canary", "shadow"] = "canary" if canary else "shadow"
        champion = serving.digest if serving else ""
        rollouts.start(config, bundle, champion=champion, mode=mode, share=canary or 1.0, now=time.time())
    else:
        move(config, bundle, serving, reason=f"gate passed, MLflow version {version}", who="release")
        announce(config, "release", out)
    _write_verdict(config, out, decision.release, decision.reasons)
    return out


def promoted(*, config: Config, out: str, release: str) -> str | None:
    """release -> its URI where it serves everybody, which wakes score_users; None while it is tried on some users."""
    del out
    serving = pointer(config)
    return release if serving and serving.release == release else None


def rollback(*, config: Config) -> Pointer:
    """Serve the previous release again. Raises BadRelease where there is none."""
    serving = pointer(config)
    if serving is None or serving.previous is None:
        raise BadRelease(f"{config.scenario} has no previous release to go back to.")
    before = opened(serving.previous, kind="release")
    return move(config, before, serving, reason=f"rollback from {serving.release}", who="rollback")


def verdict(config: Config, out: str) -> dict[str, object] | None:
    """What the gate said of a release that was tried: decision and reasons."""
    data = open_store(settings().store_uri).read(_verdict_key(config, out))
    return None if data is None else dict(json.loads(data))


def _share(config: Config, asked: float | None, *, shadow: bool, serving: Pointer | None) -> float:
    """Share of users on which a release is tried first: what was asked for, else the scenario's where there is a champion."""
    if asked is not None:
        return asked
    return config.experiments.canary if serving and not shadow else 0.0


def _verdict_key(config: Config, out: str) -> str:
    return f"verdicts/{config.scenario}/{out.rsplit('/', 1)[-1]}.json"


def _write_verdict(config: Config, out: str, released: bool, reasons: tuple[str, ...]) -> None:
    body = json.dumps({"decision": "released" if released else "refused", "reasons": reasons}, indent=1)
    open_store(settings().store_uri).write(_verdict_key(config, out), body.encode())


def _same_champion(judged: str | None, serving: Pointer | None) -> None:
    digest = serving.digest if serving else None
    if judged != digest:
        raise BadData(
            f"The scorecard was judged against the champion {judged}, but {digest} serves now. Evaluate again: "
            "`recloop evaluate`."
        )


def _bundle(config: Config, out: str, dataset: Artifact, model: Artifact, card: Artifact) -> Artifact:
    from recloop.serving.bundle import assemble

    parents = {"dataset": dataset, "model": model, "scorecard": card}
    with publishing(out, kind="release", parents=parents, config={"scenario": config.scenario}) as draft:
        retrieval = assemble(
            dataset.path,
            model.path,
            card.path,
            draft.path,
            scenario=config.scenario,
            config=config.model_dump_json(indent=1),
        )
    LOG.info("retrieval: %s", retrieval or "the model asks for no nearest items")
    return opened(out, kind="release")


def _try(config: Config, bundle: Artifact) -> float:
    """Median milliseconds of a recommendation in a copy of the server."""
    from recloop.serving.tryout import tryout

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.json"
        path.write_text(config.model_dump_json())
        port = _free_port()
        command = [sys.executable, "-m", "recloop_pipelines", "serve", "--scenario", str(path), "--port", str(port)]
        command += ["--bundle", str(bundle.path), "--journal", f"{folder}/journal"]
        return tryout(bundle.path, command=command, port=port, log=Path(folder) / "log").latency_ms


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _register(config: Config, bundle: Artifact, card: Artifact, released: bool, reasons: tuple[str, ...]) -> str:
    """A version of the scenario's model in MLflow, with the gate's report; what is refused stays a challenger."""
    from recloop import registry

    uri = settings().mlflow_uri
    run = registry.find_run(uri, config.scenario, run_of(config, card))
    tags = {"gate": "released" if released else "refused", "gate.report": "\n".join(reasons)[:4900]}
    version = registry.register(uri, config.scenario, run_id=run, source=bundle.uri, digest=bundle.digest, tags=tags)
    registry.challenge(uri, config.scenario, version)
    return version


def move(config: Config, bundle: Artifact, serving: Pointer | None, *, reason: str, who: str) -> Pointer:
    """Move the pointer, write the move down, mirror it in MLflow."""
    from recloop import ledger, registry

    store = open_store(settings().store_uri)
    moved = promote(
        store,
        config.scenario,
        release=bundle.uri,
        digest=bundle.digest,
        expected=serving.generation if serving else None,
        reason=reason,
    )
    engine = ledger.connect(settings().database_url)
    move = ledger.Move(config.scenario, moved.generation, moved.release, moved.digest, reason, who, time.time())
    ledger.record(engine, move)
    engine.dispose()
    registry.mirror(settings().mlflow_uri, config.scenario, moved)
    return moved


def conclude(config: Config, decision: "Rollout") -> "Rollout":
    """A rollout's decision -> carried out: a promoted release serves and wakes score_users, any other is left, and it is
    written down.

    Raises Conflict where the rollout does not run any more.
    """
    if decision.state == "promoted":
        bundle = opened(decision.release, kind="release")
        reason = f"{decision.mode} {decision.name}: {decision.reason}"
        move(config, bundle, pointer(config), reason=reason, who="canary")
        announce(config, "release", decision.release)
    ended = rollouts.finish(config, decision)
    if decision.state == "promoted":
        _wake(config, decision.release)
    return ended


def _wake(config: Config, uri: str) -> None:
    """Wake what scores all users; the promotion stands, whether Airflow hears of it or not."""
    try:
        wake("release", uri, config.scenario)
    except (Permanent, Unavailable) as error:
        LOG.error("score_users was not woken for %s: %s Trigger it in Airflow.", uri, error)


def reconcile(config: Config) -> dict[str, str]:
    """Set MLflow's aliases as the pointer says -> alias: version. Raises BadArtifact before the first release."""
    from recloop import registry

    found = current(open_store(settings().store_uri), config.scenario)
    if found is None:
        raise BadArtifact(f"{config.scenario} has no release yet.")
    return registry.mirror(settings().mlflow_uri, config.scenario, found)
