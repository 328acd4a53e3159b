import numpy as np
import pytest

from contracts import check_recommender
from recloop.config import SplitConfig
from recloop.data.statistics import item_statistics
from recloop.errors import BadData
from recloop.models import popularity, tuning
from recloop.models import task as task_module
from recloop.models.baselines import fit_baselines
from recloop.models.frequency import HALF_LIVES
from recloop.models.popularity import DAYS
from recloop.models.task import past_of
from recloop.models.tuning import _some
from shop_datasets import canonical, dataset, task

NAMES = ("popularity", "frequency", "frequency_decayed", "item_knn")


@pytest.fixture(scope="module")
def data():
    return dataset(canonical())


@pytest.fixture(scope="module")
def fitted(data):
    return fit_baselines(task(data), NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_meets_the_contract_on_a_whole_dataset(data, fitted, name):
    past = past_of(data, data.test, np.arange(1, 21, dtype=np.int32))
    check_recommender(fitted[0][name], past, data.catalogue.height + 1)


def test_only_what_is_named_is_fitted(data):
    assert list(fit_baselines(task(data), ("item_knn",))[0]) == ["item_knn"]


def test_settings_are_among_those_tried(fitted):
    assert fitted[1]["popularity_days"] in DAYS
    assert fitted[1]["half_life_days"] in HALF_LIVES


def test_the_test_window_decides_no_setting(data, fitted):
    changed = data.events.filter(data.events["time"] < data.test.as_of)
    blind = type(data)(changed, data.catalogue, data.users, data.items, data.split)
    assert fit_baselines(task(blind), NAMES)[1] == fitted[1]


def test_settings_are_tried_with_what_was_known_before_the_window_that_judges_them(data, monkeypatch):
    newest = []

    def watched(known, catalogue):
        newest.append(known.times.max())
        return item_statistics(known, catalogue)

    for module in (popularity, task_module):
        monkeypatch.setattr(module, "item_statistics", watched)
    fit_baselines(task(data), ("popularity",))
    test, validation = data.windows(1)
    assert newest[0] < validation.as_of <= newest[1] < test.as_of


def test_tuning_users_keep_their_own_answers(data, monkeypatch):
    monkeypatch.setattr(tuning, "USERS", 40)
    window = data.windows(1)[1]
    whole = data.truth(window)
    part, past = _some(task(data))
    assert 40 <= len(part) < len(whole)
    assert len(past) == len(part)
    kept = np.isin(whole.users[whole.rows], part.users)
    for name in ("items", "spend", "new"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[kept])
    assert np.array_equal(part.users[part.rows], whole.users[whole.rows][kept])


def test_no_user_to_tune_on_says_what_to_lower():
    with pytest.raises(BadData, match=r"cannot be tuned.*test_days \(70\)"):
        fit_baselines(task(dataset(canonical(), SplitConfig(test_days=70))), NAMES)
