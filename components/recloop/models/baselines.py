"""The baselines of the gate, tuned on the window before the test: no straw men."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from recloop.config import Baseline, CandidatesConfig
from recloop.data.dataset import Dataset
from recloop.data.histories import Histories
from recloop.data.statistics import ItemStatistics, item_statistics
from recloop.data.truth import Truth
from recloop.data.windows import Window
from recloop.errors import BadData
from recloop.evaluation.metrics import per_user
from recloop.models.frequency import Frequency
from recloop.models.item_knn import ItemKNN, fit_item_knn
from recloop.models.popularity import Popularity
from recloop.models.ranked import Recommender
from recloop.models.two_stage_fit import past_of

DAYS = (7, 28, 90)
HALF_LIVES = (30.0, 60.0, 90.0, 120.0)
TUNING_USERS = 500


def fit_baselines(
    dataset: Dataset, names: tuple[Baseline, ...], *, config: CandidatesConfig, k: int
) -> tuple[dict[str, Recommender], dict[str, float]]:
    """Baselines as of the test window's start, and the settings that were best on the window before. Raises BadData."""
    test, validation = dataset.windows(1)
    truth, past = _tuning(dataset, validation)
    if not len(truth):
        raise BadData(
            "The baselines cannot be tuned: nobody with an earlier event took anything in the window before the test. Bring "
            f"more history or lower split.test_days ({dataset.split.test_days})."
        )
    older = item_statistics(past_of(dataset, validation), dataset.catalogue)

    def best(options: Iterable[float], build: Callable[[float], Recommender]) -> float:
        return max(options, key=lambda option: _ndcg(build(option), past, truth, k))

    days = best(DAYS, lambda d: Popularity(_window(older, d)))
    half_life = best(HALF_LIVES, lambda h: Frequency(older.pop28, half_life=h))
    known = past_of(dataset, test)
    statistics = item_statistics(known, dataset.catalogue)
    builders: dict[Baseline, Callable[[], Recommender]] = {
        "popularity": lambda: Popularity(_window(statistics, days)),
        "frequency": lambda: Frequency(statistics.pop28, half_life=None),
        "frequency_decayed": lambda: Frequency(statistics.pop28, half_life=half_life),
        "item_knn": lambda: _item_knn(known, dataset, config),
    }
    return {name: builders[name]() for name in names}, {"popularity_days": days, "half_life_days": half_life}


def _tuning(dataset: Dataset, window: Window) -> tuple[Truth, Histories]:
    """Every n-th user of the window, so that about TUNING_USERS are left."""
    truth = dataset.truth(window)
    kept = np.arange(0, len(truth), max(1, len(truth) // TUNING_USERS))
    lengths = np.diff(truth.offsets)[kept]
    at = np.repeat(truth.offsets[kept] - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    users = truth.users[kept]
    part = Truth(users, offsets, truth.items[at], truth.spend[at], truth.new[at])
    return part, past_of(dataset, window, users)


def _ndcg(model: Recommender, past: Histories, truth: Truth, k: int) -> float:
    ranked = model.recommend(past, k=k)
    return float(np.nanmean(per_user(ranked.items, truth.rows, truth.items, truth.spend)["ndcg"]))


def _window(statistics: ItemStatistics, days: float) -> NDArray[np.float32]:
    return {7: statistics.pop7, 28: statistics.pop28, 90: statistics.pop90}[int(days)]


def _item_knn(known: Histories, dataset: Dataset, config: CandidatesConfig) -> ItemKNN:
    return fit_item_knn(
        known,
        n_codes=dataset.catalogue.height + 1,
        neighbours=config.neighbours,
        half_life=config.half_life_days,
    )
