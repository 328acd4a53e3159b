"""Histories -> a trained and exported SASRec."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recloop.config import SASRecConfig, TrainerConfig
from recloop.data.histories import Histories
from recloop.errors import BadData
from recloop.models.family import Fitted
from recloop.models.fit import Progress
from recloop.models.item_vectors import content_of
from recloop.models.sasrec import SASRec
from recloop.models.sequence_fit import SequencePlan, draws, finish, seen_of
from recloop.models.sequence_net import LastState
from recloop.models.sequences import Sequences
from recloop.models.task import Task
from recloop.models.warm_start import begin
from recloop.models.watch import Watch
from recloop.models.watched import watched

NAME = "sasrec"


def fit(task: Task) -> Fitted:
    """SASRec as a model of its own. Raises BadData where nothing can be learnt."""
    config = task.config.sasrec
    found = fit_sasrec(
        task.past,
        n_codes=task.n_codes,
        config=config,
        trainer=task.trainer,
        seed=task.seed,
        out=task.out,
        work=task.work,
        warm=task.warm,
        content=content_of(task, config),
        progress=task.progress,
        watch=lambda sequences: watched(task, config, sequences, LastState),
    )
    return Fitted(found, {})


def fit_sasrec(
    histories: Histories,
    *,
    n_codes: int,
    config: SASRecConfig,
    trainer: TrainerConfig,
    seed: int,
    out: Path,
    work: Path,
    warm: Path | None = None,
    content: NDArray[np.float32] | None = None,
    progress: Progress | None = None,
    watch: Callable[[Sequences], Watch | None] | None = None,
) -> dict[str, float]:
    """Write sasrec.safetensors, encoder.onnx, item_vectors.npy and item_known.npy into `out`; steps, and the last loss.

    `warm`: folder of an older model, whose rows of known codes go on from where they were; a folder without a SASRec, or
    with one of other sizes, is told to `progress` and passed over. `work`: checkpoints, where a killed fit goes on; on
    several nodes it must be shared. `content`: what items are, where `config.content` asks for it. `watch`: what
    stops the fit early. Raises BadData where nothing can be learnt, BadArtifact where `warm` knows more codes.
    """
    torch.manual_seed(seed)
    net, learnt = SASRec(n_codes, config, content), seen_of(histories, config)
    start = begin(net, learnt, config, name=NAME, warm=warm, progress=progress)
    plan = plan_of(learnt, n_codes, config, start.epochs(config), seed)
    return finish(
        start,
        plan,
        LastState(net),
        name=NAME,
        trainer=trainer,
        out=out,
        work=work,
        progress=progress,
        watch=None if watch is None else watch(plan.sequences),
    )


def plan_of(learnt: Histories, n_codes: int, config: SASRecConfig, epochs: int, seed: int) -> SequencePlan:
    """Next items of all histories. Raises BadData where there is none."""
    probability, log_q = draws(learnt, n_codes, config)
    plan = SequencePlan(Sequences(learnt, config, epochs, seed, probability, config.horizon), log_q)
    if not plan.steps:
        raise BadData(
            f"SASRec has nothing to learn: none of {len(learnt):,} users has two "
            f"{'events' if config.repeats else 'different items'}. Bring more history or set model.ranker.use_sasrec: false."
        )
    return plan
