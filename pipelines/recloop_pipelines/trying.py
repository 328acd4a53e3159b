"""The experiments, the canary and the shadow of a running service, put together."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from recloop.artifacts import Store
from recloop.config import Config
from recloop.errors import Unavailable
from recloop_pipelines.listening import audit
from recloop_pipelines.settings import opened, settings

if TYPE_CHECKING:
    from recloop.serving.engine import Engine
    from recloop.serving.journal import Journal
    from recloop.serving.rollout import Rollout
    from recloop.serving.traffic import Traffic
    from recloop.serving.trials import Trials

SECONDS = 1.0
"""between looks at the rollout"""
PATIENCE = 120
"""seconds in which the store, the ledger and MLflow must have taken a decision"""


def traffic_of(config: Config) -> "Traffic":
    """Who takes part in what, as it was when the service was stopped."""
    import numpy as np

    from recloop.serving.experiment import Experiments
    from recloop.serving.others import Others
    from recloop.serving.traffic import Traffic

    experiments = Experiments(place(config, "experiments"), Others(lambda uri: _fetch(config, uri)))
    return Traffic(experiments, holdout=config.experiments.holdout, rng=np.random.default_rng())


def trials_of(config: Config, engine: "Engine", traffic: "Traffic", journal: "Journal", store: Store) -> "Trials":
    """The parts that try things on the engine's users."""
    from recloop.serving.canary import Canary
    from recloop.serving.rollout import current
    from recloop.serving.trials import Trials

    others = traffic.experiments.others
    others.preparations = engine.preparations
    canary = Canary(
        engine,
        traffic,
        others,
        poll=lambda: current(store, config.scenario),
        replay=journal.replay,
        finish=lambda ended: _finish(config, ended),
        clock=time.time,
        config=config.experiments,
        hours=config.feedback.attribution_hours,
        seconds=SECONDS,
        remembered=place(config, "rollout"),
    )
    return Trials(traffic.experiments, canary, audit())


def place(config: Config, what: str) -> Path:
    """A file of the service beside its memory of the pointer."""
    return settings().folder / "serving" / f"{config.scenario}-{what}.json"


def _fetch(config: Config, uri: str) -> tuple[Path, str]:
    """Folder and digest of a release; the local copy of one that was had before, where the store is down."""
    memory = place(config, "releases")
    known: dict[str, str] = json.loads(memory.read_text()) if memory.exists() else {}
    try:
        made = opened(uri, kind="release")
    except Unavailable:
        local = settings().folder / "cache" / known.get(uri, "none")
        if not local.is_dir():
            raise
        return local, known[uri]
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps(known | {uri: made.digest}, indent=1))
    return made.path, made.digest


def _finish(config: Config, ended: "Rollout") -> None:
    """Carry a decision out in a process of its own: what the ledger and MLflow need has no place beside answers.

    Raises Unavailable with its last words; what it did is done once, however often it is asked.
    """
    scenario = place(config, "config")
    scenario.write_text(config.model_dump_json())
    decision = place(config, "decision")
    decision.write_text(ended.model_dump_json())
    command = [sys.executable, "-m", "recloop_pipelines", "canary", "end", str(scenario), "--decision", str(decision)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        raise Unavailable(f"The decision {ended.state} was not carried out: {done.stderr.strip()[-500:]}")
