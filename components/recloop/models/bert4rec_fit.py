"""Task -> a trained and exported Bert4Rec."""

import torch

from recloop.errors import BadData
from recloop.models.bert4rec import Bert4Rec, NextGap
from recloop.models.family import Fitted
from recloop.models.item_vectors import content_of
from recloop.models.sequence_fit import SequencePlan, draws, finish, seen_of
from recloop.models.sequences import Gaps
from recloop.models.task import Task
from recloop.models.warm_start import begin
from recloop.models.watched import watched

NAME = "bert4rec"


def fit(task: Task) -> Fitted:
    """Write bert4rec.safetensors and the encoder's files. Raises BadData where nothing can be learnt."""
    torch.manual_seed(task.seed)
    config = task.config.bert4rec
    net, learnt = Bert4Rec(task.n_codes, config, content_of(task, config)), seen_of(task.past, config)
    start = begin(net, learnt, config, name=NAME, warm=task.warm, progress=task.progress)
    probability, log_q = draws(learnt, task.n_codes, config)
    batches = Gaps(learnt, config, start.epochs(config), task.seed, probability, mask_share=config.mask_share)
    plan = SequencePlan(batches, log_q)
    if not plan.steps:
        raise BadData(
            f"Bert4Rec has nothing to learn: none of {len(learnt):,} users has two items. Bring more history."
        )
    found = finish(
        start,
        plan,
        NextGap(net),
        name=NAME,
        trainer=task.trainer,
        out=task.out,
        work=task.work,
        progress=task.progress,
        watch=watched(task, config, batches, NextGap),
    )
    return Fitted(found, {})
