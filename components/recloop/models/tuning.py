"""Settings chosen where a model may look: on the window before what it is judged by, never on the test."""

from collections.abc import Callable, Iterable

import numpy as np

from recloop.data.histories import Histories
from recloop.data.truth import Truth
from recloop.errors import BadData
from recloop.evaluation.metrics import per_user
from recloop.models.ranked import Recommender
from recloop.models.task import Task, past_of

USERS = 500
K = 10


def chosen(task: Task, options: Iterable[float], build: Callable[[float], Recommender]) -> float:
    """The option whose model, as of the start of task.tuning, has the best NDCG@10 there on about USERS users.

    Raises BadData where nobody with an earlier event took anything in that window.
    """
    truth, past = _some(task)
    if not len(truth):
        raise BadData(
            "A baseline cannot be tuned: nobody with an earlier event took anything in the window before the test. Bring "
            f"more history or lower split.test_days ({task.dataset.split.test_days})."
        )
    return max(options, key=lambda option: _ndcg(build(option), past, truth))


def _some(task: Task) -> tuple[Truth, Histories]:
    """Every n-th user of the window, so that about USERS are left."""
    truth = task.dataset.truth(task.tuning)
    kept = np.arange(0, len(truth), max(1, len(truth) // USERS))
    part = truth.take(kept)
    return part, past_of(task.dataset, task.tuning, part.users)


def _ndcg(model: Recommender, past: Histories, truth: Truth) -> float:
    ranked = model.recommend(past, k=K)
    return float(np.nanmean(per_user(ranked.items, truth.rows, truth.items, truth.spend)["ndcg"]))
