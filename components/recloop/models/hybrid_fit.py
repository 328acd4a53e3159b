"""dataset -> the model folder of the hybrid."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.config import ModelConfig
from recloop.data.grouped import top
from recloop.data.histories import Histories
from recloop.data.truth import Truth
from recloop.errors import BadData
from recloop.models import als, ease
from recloop.models.blend import Blend, Choices, fit_blend
from recloop.models.blend_content import likeness_of
from recloop.models.family import Fitted
from recloop.models.freshness import freshness_of
from recloop.models.friends import friends_of
from recloop.models.hybrid import BLEND, Part, counted_of, folders, parts_of
from recloop.models.item_vectors import content_of
from recloop.models.scorer import CELLS
from recloop.models.task import Task, past_of

F32 = NDArray[np.float32]


def fit(task: Task) -> Fitted:
    """Write every part and the blend of them.

    The parts are learnt before the tuning window, the weights in it. Where that window lies before the cut, everything but
    the sequence models is then learnt anew up to the cut. Raises BadData where nothing lies before the window or in it.
    """
    config, window = task.config, task.tuning
    inner = task.before(window)
    found = _sequences(inner) if "sasrec" in config.hybrid.parts else {}
    if "content" in config.hybrid.parts:
        likeness_of(task.dataset.catalogue).save(task.out)
    parts = _parts(inner)
    task.tell("the blend", 0.0)
    blend, loss = fit_blend(_choices(inner, parts), edges=config.hybrid.lengths, l2=config.hybrid.l2)
    _write(blend, task.out)
    if (window.start != task.cut.start).any():
        _parts(task)
    kept = config.model_dump(mode="json", include={"hybrid", "item_to_item", "ease", "als", "freshness"})
    return Fitted(found | {"blend_loss": loss} | _weights(blend, config), {"config": kept})


def _sequences(task: Task) -> dict[str, float]:
    """Fit the sequence models, each from a seed of its own; figures of the last."""
    # torch is loaded only where a sequence model is asked for
    from recloop.models.sasrec_fit import fit_sasrec
    from recloop.models.sequence_net import LastState
    from recloop.models.watched import watched

    found: dict[str, float] = {}
    content = content_of(task, task.config.sasrec)
    for n, folder in enumerate(folders(task.out, task.config)):
        work = task.work / folder.name
        folder.mkdir(exist_ok=True)
        work.mkdir(exist_ok=True)
        older = None if task.warm is None else task.warm / folder.name
        found = fit_sasrec(
            task.past,
            n_codes=task.n_codes,
            config=task.config.sasrec,
            trainer=task.trainer,
            seed=task.seed + 1_000 * n,
            out=folder,
            work=work,
            warm=older if older is not None and older.exists() else None,
            content=content,
            progress=task.progress,
            watch=lambda sequences: watched(task, task.config.sasrec, sequences, LastState),
        )
    return found


def _parts(task: Task) -> dict[str, Part]:
    """Learn the parts that need no training before the task's cut, write them, and read all parts."""
    counted = counted_of(task.past, n_codes=task.n_codes, config=task.config.item_to_item)
    counted.save(task.out)
    for name, module in (("ease", ease), ("als", als)):
        if name in task.config.hybrid.parts:
            module.fit(task)
    if {"trending", "fresh"} & set(task.config.hybrid.parts):
        freshness_of(task.past, n_codes=task.n_codes, config=task.config.freshness).save(task.out)
    if "friends" in task.config.hybrid.parts:
        friends_of(task.dataset, task.past, n_codes=task.n_codes).save(task.out)
    return parts_of(task.out, task.config, counted, threads=task.trainer.threads)


def _choices(task: Task, parts: dict[str, Part]) -> Choices:
    """The best candidates of each part for a sample of the window's users, and what these took. Raises BadData."""
    config, truth = task.config.hybrid, task.dataset.truth(task.cut)
    if not len(truth):
        raise BadData(
            "The hybrid has no window to learn its weights in: nobody with an earlier event took anything in the window before "
            f"the cut. Bring more history or lower split.test_days ({task.dataset.split.test_days})."
        )
    kept = np.sort(np.random.default_rng([task.seed, 3]).permutation(len(truth))[: config.users])
    past = past_of(task.dataset, task.cut, truth.users[kept])
    step = max(1, min(256, CELLS // task.n_codes // len(parts)))
    blocks = [
        _block(past.part(at, at + step), kept[at : at + step], truth, parts, config.candidates, repeats=config.repeats)
        for at in range(0, len(kept), step)
    ]
    rows, scores, taken = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return Choices(np.concatenate([[0], np.cumsum(rows)]).astype(np.int64), scores, taken, past.lengths)


def _block(
    past: Histories, kept: NDArray[np.int64], truth: Truth, parts: dict[str, Part], best: int, *, repeats: bool
) -> tuple[NDArray[np.int64], F32, NDArray[np.bool_]]:
    """Candidates a row [n], their scores by part [pairs, parts], and which were taken [pairs]."""
    scores = [part(past) for part in parts.values()]
    offered = np.zeros(scores[0].shape, dtype=bool)
    for found in scores:
        visible = found.copy()
        visible[:, 0] = -np.inf
        if not repeats:
            visible[past.rows, past.items] = -np.inf
        np.put_along_axis(offered, top(visible, best), True, axis=1)
    offered[:, 0] = False
    if not repeats:
        offered[past.rows, past.items] = False
    taken = np.zeros(offered.shape, dtype=bool)
    lengths = np.diff(truth.offsets)[kept]
    at = np.arange(lengths.sum()) + np.repeat(truth.offsets[kept] - np.cumsum(lengths) + lengths, lengths)
    taken[np.repeat(np.arange(len(kept)), lengths), truth.items[at]] = True
    return offered.sum(axis=1), np.stack([found[offered] for found in scores], axis=1), taken[offered]


def _write(blend: Blend, out: Path) -> None:
    held = {"weights": blend.weights.astype(float).round(6).tolist(), "lengths": list(blend.lengths)}
    (out / BLEND).write_text(json.dumps(held, sort_keys=True))


def _weights(blend: Blend, config: ModelConfig) -> dict[str, float]:
    """Mean weight of each part over the lengths, for people."""
    mean = blend.weights.mean(axis=0)
    return {f"blend_{name}": float(mean[n]) for n, name in enumerate(config.hybrid.parts)}
