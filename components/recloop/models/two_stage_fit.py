"""dataset -> the model folder of the two-stage recommender."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recloop.config import ModelConfig
from recloop.data.dataset import Dataset
from recloop.data.features import CONTEXT, NAMES
from recloop.data.grouped import Grouped
from recloop.data.statistics import item_statistics
from recloop.data.truth import Truth
from recloop.data.windows import Window
from recloop.errors import BadData
from recloop.models.encoder import Encoder
from recloop.models.family import STATISTICS, Fitted, facts_of
from recloop.models.item_knn import FILE as ITEM_KNN
from recloop.models.item_knn import fit_item_knn
from recloop.models.item_vectors import content_of
from recloop.models.linear import FILE as LINEAR
from recloop.models.linear import fit_linear
from recloop.models.ranked import permitted
from recloop.models.ranker import Examples, fit_ranker
from recloop.models.sasrec_fit import fit_sasrec
from recloop.models.task import Task, past_of
from recloop.models.two_stage import ROWS, Sources, used_features

F32 = NDArray[np.float32]
ENCODED = "encoder.json"
"""up to when SASRec learnt"""


def fit(task: Task) -> Fitted:
    """Write every part of the model, learnt from events before the cut only; AUC and log loss of the ranker.

    SASRec learns from what lies before the ranker's oldest window, so that its scores are honest features there. The
    ranker goes on from `warm` where its features are the same. Raises BadData where nothing lies before a window.
    """
    dataset, config = task.dataset, task.config
    earlier = task.earlier(config.ranker.windows)
    require_past(dataset, earlier)
    encoder = fit_encoder(task, earlier[-1])
    examples = []
    for n, window in enumerate(earlier):
        task.tell(f"features of window {n + 1} of {len(earlier)}", n / len(earlier))
        examples.append(_examples(dataset, window, sources(dataset, window, config, encoder)))
    columns = used_features(use_sasrec=config.ranker.use_sasrec, use_context=config.ranker.use_context)
    quality = fit_ranker(
        _joined(examples, columns),
        context=[at for at, n in enumerate(columns) if NAMES[n] in CONTEXT],
        config=config.ranker,
        trainer=task.trainer,
        seed=task.seed,
        out=task.out,
        work=task.work,
        warm=task.warm if task.warm and facts_of(task.warm).get("features") == [NAMES[n] for n in columns] else None,
        progress=task.progress,
    )
    return Fitted(quality, save_parts(sources(dataset, task.cut, config, encoder), columns, config, task.out))


def require_past(dataset: Dataset, earlier: list[Window]) -> None:
    """Raise BadData where a window of the ranker has no user with an earlier event."""
    empty = [n for n, window in enumerate(earlier, start=1) if not len(dataset.truth(window))]
    if empty:
        raise BadData(
            f"The ranker learns from {len(earlier)} windows before the test, and in window {empty[0]} of them nobody with an "
            f"earlier event took anything. Bring more history, or lower model.ranker.windows ({len(earlier)}) or "
            f"split.test_days ({dataset.split.test_days})."
        )


def sources(dataset: Dataset, window: Window, config: ModelConfig, encoder: Encoder | None) -> Sources:
    """Statistics, item-kNN and linear weights as of a window's start, with an encoder that is there already."""
    past = past_of(dataset, window)
    counts = config.candidates
    return Sources(
        statistics=item_statistics(past, dataset.catalogue),
        item_knn=fit_item_knn(
            past, n_codes=dataset.catalogue.height + 1, neighbours=counts.neighbours, half_life=counts.half_life_days
        ),
        linear=fit_linear(past, n_codes=dataset.catalogue.height + 1, config=counts),
        encoder=encoder,
        config=counts,
    )


def fit_encoder(task: Task, oldest: Window) -> Encoder | None:
    """SASRec learnt from what lies before the ranker's oldest window, read back; None where the ranker does without it."""
    if not task.config.ranker.use_sasrec:
        return None
    fit_sasrec(
        past_of(task.dataset, oldest),
        n_codes=task.n_codes,
        config=task.config.sasrec,
        trainer=task.trainer,
        seed=task.seed,
        out=task.out,
        work=task.work,
        warm=_honest(task, oldest),
        content=content_of(task, task.config.sasrec),
        progress=task.progress,
    )
    (task.out / ENCODED).write_text(json.dumps({"learnt_until": oldest.as_of}))
    return Encoder.load(task.out, threads=task.trainer.threads)


def _honest(task: Task, oldest: Window) -> Path | None:
    """The older model, where its SASRec learnt nothing that the ranker's windows hold now."""
    path = None if task.warm is None else task.warm / ENCODED
    if path is None or not path.exists():
        return None
    if json.loads(path.read_text())["learnt_until"] <= oldest.as_of:
        return task.warm
    task.tell("sasrec: the older model learnt from the ranker's windows; starting afresh", 0.0)
    return None


def _examples(dataset: Dataset, window: Window, parts: Sources) -> Examples:
    """Candidates of every user who took something in the window, labelled by what it was."""
    truth = dataset.truth(window)
    past = past_of(dataset, window, truth.users)
    mask = permitted(len(parts.statistics), None, None)
    made = []
    for start in range(0, len(past), ROWS):
        found, features, habit = parts.pairs(
            past.part(start, min(start + ROWS, len(past))), exclude_seen=False, mask=mask
        )
        keys = (found.rows + start) * len(mask) + found.items
        seen = habit.pairs.find(found.rows * len(mask) + found.items)[1]
        labels, spend = outcomes(truth, keys, len(mask))
        made.append(Examples(features, labels, ~seen, truth.users[found.rows + start].astype(np.int64), spend))
    return _joined(made, list(range(len(NAMES))))


def outcomes(truth: Truth, keys: NDArray[np.int64], n_codes: int) -> tuple[F32, F32]:
    """Pairs as row * n_codes + item -> 1 where the row took the item, and the money it paid for it. [pairs] each"""
    known = truth.items > 0
    taken = Grouped.by((truth.rows * np.int64(n_codes) + truth.items)[known])
    at, hit = taken.find(keys)
    paid = taken.sum(truth.spend[known].astype(np.float32))
    return hit.astype(np.float32), np.where(hit, paid[at], 0).astype(np.float32) if len(paid) else np.zeros(
        len(keys), np.float32
    )


def _joined(examples: list[Examples], columns: list[int]) -> Examples:
    return Examples(
        features=np.concatenate([e.features[:, columns] for e in examples]),
        labels=np.concatenate([e.labels for e in examples]),
        unseen=np.concatenate([e.unseen for e in examples]),
        users=np.concatenate([e.users for e in examples]),
        spend=np.concatenate([e.spend for e in examples]),
    )


def save_parts(parts: Sources, columns: list[int], config: ModelConfig, out: Path) -> dict[str, Any]:
    """Write what proposes candidates; the facts by which the folder is read."""
    parts.statistics.save(out / STATISTICS)
    parts.item_knn.save(out / ITEM_KNN)
    parts.linear.save(out / LINEAR)
    return {
        "sasrec": parts.encoder is not None,
        "features": [NAMES[n] for n in columns],
        "candidates": config.candidates.model_dump(mode="json"),
    }
