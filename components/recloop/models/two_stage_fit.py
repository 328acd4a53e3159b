"""dataset -> the model folder of the two-stage recommender."""

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recloop.config import ModelConfig, TrainerConfig
from recloop.data.dataset import Dataset, histories
from recloop.data.features import NAMES
from recloop.data.histories import Histories
from recloop.data.statistics import item_statistics
from recloop.data.windows import Window
from recloop.errors import BadData
from recloop.models.encoder import Encoder
from recloop.models.fit import Progress
from recloop.models.item_knn import fit_item_knn
from recloop.models.ranked import permitted
from recloop.models.ranker import Examples, fit_ranker
from recloop.models.sasrec_fit import fit_sasrec
from recloop.models.two_stage import ROWS, Sources, used_features


def fit_two_stage(
    dataset: Dataset,
    *,
    config: ModelConfig,
    trainer: TrainerConfig,
    seed: int,
    out: Path,
    work: Path,
    warm: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, float]:
    """Write every part of the model, learnt from events before the test window only; AUC and log loss of the ranker.

    SASRec learns from what lies before the ranker's oldest window, so that its scores are honest features there. The
    ranker goes on from `warm` where its features are the same. Raises BadData where nothing lies before a window.
    """
    tell = progress or (lambda what, share: None)
    test, *earlier = dataset.windows(config.ranker.windows)
    _require_past(dataset, earlier)
    encoder = _encoder(dataset, earlier[-1], config, trainer, seed, out, work, warm, progress)
    examples = []
    for n, window in enumerate(earlier):
        tell(f"features of window {n + 1} of {len(earlier)}", n / len(earlier))
        examples.append(_examples(dataset, window, sources(dataset, window, config, encoder)))
    columns = used_features(use_sasrec=config.ranker.use_sasrec, use_context=config.ranker.use_context)
    quality = fit_ranker(
        _joined(examples, columns),
        config=config.ranker,
        trainer=trainer,
        seed=seed,
        out=out,
        work=work,
        warm=warm if warm is not None and _features_of(warm) == [NAMES[n] for n in columns] else None,
        progress=progress,
    )
    _save(sources(dataset, test, config, encoder), columns, config, out, learnt_until=test.as_of)
    return quality


def _require_past(dataset: Dataset, earlier: list[Window]) -> None:
    """Raise BadData where a window of the ranker has no user with an earlier event."""
    empty = [n for n, window in enumerate(earlier, start=1) if not len(dataset.truth(window))]
    if empty:
        raise BadData(
            f"The ranker learns from {len(earlier)} windows before the test, and in window {empty[0]} of them nobody with an "
            f"earlier event took anything. Bring more history, or lower model.ranker.windows ({len(earlier)}) or "
            f"split.test_days ({dataset.split.test_days})."
        )


def _features_of(folder: Path) -> list[str] | None:
    """Features of an older model's ranker; None where the folder names none."""
    path = folder / "model.json"
    found: list[str] | None = json.loads(path.read_text()).get("features") if path.exists() else None
    return found


def sources(dataset: Dataset, window: Window, config: ModelConfig, encoder: Encoder | None) -> Sources:
    """Statistics and item-kNN as of a window's start, with an encoder that is there already."""
    past = past_of(dataset, window)
    counts = config.candidates
    return Sources(
        statistics=item_statistics(past, dataset.catalogue),
        item_knn=fit_item_knn(
            past, n_codes=dataset.catalogue.height + 1, neighbours=counts.neighbours, half_life=counts.half_life_days
        ),
        encoder=encoder,
        config=counts,
    )


def past_of(dataset: Dataset, window: Window, users: NDArray[np.int32] | None = None) -> Histories:
    """Histories up to a window's start: of all users, seen from one moment; or of some, each seen from its own."""
    if users is None:
        every = np.arange(1, len(dataset.users) + 1, dtype=np.int32)
        return histories(dataset.before(window), every, np.full(len(every), window.as_of))
    return histories(dataset.before(window), users, window.start[users])


def _encoder(
    dataset: Dataset,
    oldest: Window,
    config: ModelConfig,
    trainer: TrainerConfig,
    seed: int,
    out: Path,
    work: Path,
    warm: Path | None,
    progress: Progress | None,
) -> Encoder | None:
    if not config.ranker.use_sasrec:
        return None
    fit_sasrec(
        past_of(dataset, oldest),
        n_codes=dataset.catalogue.height + 1,
        config=config.sasrec,
        trainer=trainer,
        seed=seed,
        out=out,
        work=work,
        warm=warm,
        progress=progress,
    )
    return Encoder.load(out, threads=trainer.threads)


def _examples(dataset: Dataset, window: Window, parts: Sources) -> Examples:
    """Candidates of every user who took something in the window, labelled by what it was."""
    truth = dataset.truth(window)
    past = past_of(dataset, window, truth.users)
    mask = permitted(len(parts.statistics), None, None)
    taken = truth.rows * np.int64(len(mask)) + truth.items
    made = []
    for start in range(0, len(past), ROWS):
        found, features, habit = parts.pairs(
            past.part(start, min(start + ROWS, len(past))), exclude_seen=False, mask=mask
        )
        keys = (found.rows + start) * len(mask) + found.items
        seen = habit.pairs.find(found.rows * len(mask) + found.items)[1]
        labels = np.isin(keys, taken).astype(np.float32)
        made.append(Examples(features, labels, ~seen, truth.users[found.rows + start].astype(np.int64)))
    return _joined(made, list(range(len(NAMES))))


def _joined(examples: list[Examples], columns: list[int]) -> Examples:
    return Examples(
        features=np.concatenate([e.features[:, columns] for e in examples]),
        labels=np.concatenate([e.labels for e in examples]),
        unseen=np.concatenate([e.unseen for e in examples]),
        users=np.concatenate([e.users for e in examples]),
    )


def _save(parts: Sources, columns: list[int], config: ModelConfig, out: Path, *, learnt_until: int) -> None:
    parts.statistics.save(out / "statistics.safetensors")
    parts.item_knn.save(out / "item_knn.safetensors")
    facts = {
        "sasrec": parts.encoder is not None,
        "features": [NAMES[n] for n in columns],
        "candidates": config.candidates.model_dump(mode="json"),
        "learnt_until": learnt_until,
    }
    (out / "model.json").write_text(json.dumps(facts, sort_keys=True, indent=1))
