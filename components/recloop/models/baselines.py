"""The baselines of the gate, tuned on the window before the test: no straw men."""

from collections.abc import Callable

from recloop.config import Baseline
from recloop.models import frequency, item_knn, popularity
from recloop.models.ranked import Recommender
from recloop.models.task import Task

BUILDERS: dict[Baseline, Callable[[Task], tuple[Recommender, dict[str, float]]]] = {
    "popularity": popularity.made,
    "frequency": lambda task: (frequency.plain(task), {}),
    "frequency_decayed": frequency.decayed,
    "item_knn": lambda task: (item_knn.made(task), {}),
}


def fit_baselines(task: Task, names: tuple[Baseline, ...]) -> tuple[dict[str, Recommender], dict[str, float]]:
    """Baselines as of the cut, and the settings that were best on the window before. Raises BadData."""
    made = {name: BUILDERS[name](task) for name in names}
    tuned = {key: value for _, metrics in made.values() for key, value in metrics.items()}
    return {name: model for name, (model, _) in made.items()}, tuned
