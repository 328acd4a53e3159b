import numpy as np
import pytest

from frames import canonical, items
from recloop.config import SplitConfig
from recloop.data import split
from recloop.errors import BadData
from recloop.evaluation.cold_users import cold_users

FOOD, SOAP, TOYS = ("Food > Fresh", "Soap", "Toys")


@pytest.fixture(scope="module")
def dataset():
    """Users who take food, soap and a toy every day."""
    rows = [(f"u{u:02}", f"{kind}{u % 3}", d) for u in range(20) for d in range(60) for kind in "fst"]
    every = items([f"{kind}{n}" for kind in "fst" for n in range(3)])
    told = every.with_columns(category=every["item_id"].str.head(1).replace({"f": FOOD, "s": SOAP, "t": TOYS}))
    return split.build(canonical(rows), told, SplitConfig(min_item_events=1))


@pytest.fixture(scope="module")
def made(dataset):
    return cold_users(dataset, "Food", "Soap", share=0.5, seed=2)


def test_a_cold_user_has_no_past_in_the_target_and_all_of_it_in_the_source(dataset, made):
    past = made.dataset.before(made.dataset.test)
    target = made.target[past["item"].to_numpy()]
    users = past["user"].to_numpy()
    assert 0 < made.cold[1:].sum() < 20
    assert not made.cold[users[target]].any()
    assert set(users[target]) == set(np.flatnonzero(~made.cold[1:]) + 1)
    assert np.unique(np.bincount(users[~target])[1:]).tolist() == [32]


def test_items_of_neither_domain_are_left_out(made):
    categories = made.dataset.catalogue["category"].to_numpy()
    assert set(categories[made.dataset.events["item"].to_numpy() - 1]) == {FOOD, SOAP}


def test_the_truth_is_what_cold_users_took_of_the_target(made):
    truth = made.truth()
    assert made.cold[truth.users].all()
    assert made.target[truth.items].all()
    assert len(truth) == made.cold[1:].sum()


def test_a_category_that_nothing_is_of_is_told_with_those_there_are(dataset):
    with pytest.raises(BadData, match=r"'Drink'.*: Food, Soap, Toys\."):
        cold_users(dataset, "Food", "Drink", share=0.5, seed=2)
