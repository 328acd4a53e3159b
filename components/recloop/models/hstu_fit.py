"""Task -> a trained and exported HSTU."""

import torch

from recloop.errors import BadData
from recloop.models.family import Fitted
from recloop.models.hstu import HSTU
from recloop.models.item_vectors import content_of
from recloop.models.sequence_fit import SequencePlan, draws, finish, seen_of
from recloop.models.sequence_net import LastState
from recloop.models.sequences import Sequences
from recloop.models.task import Task
from recloop.models.warm_start import begin
from recloop.models.watched import watched

NAME = "hstu"


def fit(task: Task) -> Fitted:
    """Write hstu.safetensors and the encoder's files. Raises BadData where nothing can be learnt."""
    torch.manual_seed(task.seed)
    config = task.config.hstu
    net, learnt = HSTU(task.n_codes, config, content_of(task, config)), seen_of(task.past, config)
    start = begin(net, learnt, config, name=NAME, warm=task.warm, progress=task.progress)
    probability, log_q = draws(learnt, task.n_codes, config)
    batches = Sequences(learnt, config, start.epochs(config), task.seed, probability, config.horizon)
    plan = SequencePlan(batches, log_q)
    if not plan.steps:
        raise BadData(f"HSTU has nothing to learn: none of {len(learnt):,} users has two items. Bring more history.")
    found = finish(
        start,
        plan,
        LastState(net),
        name=NAME,
        trainer=task.trainer,
        out=task.out,
        work=task.work,
        progress=task.progress,
        watch=watched(task, config, batches, LastState),
    )
    return Fitted(found, {})
