import numpy as np
import pytest

from frames import canonical, items
from recloop.config import SplitConfig
from recloop.data import split
from recloop.evaluation.cold_items import GROUPS, cold_items, recall_of

DAYS = 60


@pytest.fixture(scope="module")
def dataset():
    """Thirty users who each take one of ten items a day."""
    rows = [(f"u{u:02}", f"i{(u + d) % 10}", d) for u in range(30) for d in range(DAYS)]
    return split.build(canonical(rows), items([f"i{n}" for n in range(10)]), SplitConfig(min_item_events=1))


def past_counts(data):
    return np.bincount(data.before(data.test)["item"].to_numpy(), minlength=11)


def test_a_cold_item_keeps_as_many_events_as_were_drawn_and_others_keep_all(dataset):
    made = cold_items(dataset, share=0.5, seed=3)
    counts, whole = past_counts(made.dataset), past_counts(dataset)
    assert counts[made.cold].tolist() == made.kept[made.cold].tolist()
    assert counts[~made.cold].tolist() == whole[~made.cold].tolist()
    assert 0 < made.cold.sum() < 10
    assert not made.cold[0]


def test_what_is_held_out_stays_whole(dataset):
    made = cold_items(dataset, share=0.5, seed=3)
    truth, whole = made.dataset.truth(dataset.test), dataset.truth(dataset.test)
    assert truth.items.tolist() == whole.items.tolist()


def test_the_groups_share_out_the_cold_items(dataset):
    made = cold_items(dataset, share=0.9, seed=1)
    assert np.sum([made.group(name) for name in GROUPS], axis=0).tolist() == made.cold.astype(int).tolist()


def test_recall_is_of_the_wanted_items_alone(dataset):
    truth = dataset.truth(dataset.test).take(np.array([0, 1]))
    assert np.diff(truth.offsets).tolist() == [10, 10]
    wanted = np.isin(np.arange(11), [3, 4])
    assert recall_of(np.array([[3, 1], [5, 6]], dtype=np.int32), truth, wanted).tolist() == [0.5, 0.0]
    assert np.isnan(recall_of(np.array([[3], [5]], dtype=np.int32), truth, np.zeros(11, dtype=bool))).all()
