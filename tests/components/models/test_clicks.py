import numpy as np
import pytest

from frames import histories
from recloop.data.habits import habits
from recloop.errors import BadData
from recloop.models.clicks import memory
from recloop.models.clicks_fit import PairPlan, joined, learnable, pairs_before, pairs_of
from recloop.models.ranked import permitted
from recloop.models.ranker import HELD_OUT, weights
from recloop.models.task import past_of
from recloop.models.two_stage_fit import sources
from shop_datasets import MODEL, canonical, dataset, task

COLUMNS = [0, 4, 11]
LENGTH = 4


@pytest.fixture(scope="module")
def shop():
    """Task, its newest earlier window, and what proposes candidates there."""
    made = task(dataset(canonical()))
    window = made.earlier(1)[0]
    return made, window, sources(made.dataset, window, MODEL, None)


@pytest.fixture(scope="module")
def pairs(shop):
    made, window, parts = shop
    truth = made.dataset.truth(window)
    return pairs_of(past_of(made.dataset, window, truth.users), truth, parts, columns=COLUMNS, length=LENGTH)


def test_a_memory_is_the_last_different_items_newest_first():
    past = histories([(3, 9), (5, 7), (3, 2), (4, 1)], [], [(2, 6)])
    found = memory(habits(past, 6), 3, length=2)
    assert found.items.tolist() == [[4, 3], [0, 0], [2, 0]]
    assert np.expm1(found.facts[0]) == pytest.approx(np.array([[1, 1], [2, 2]]), rel=1e-5)


def test_the_smaller_of_two_items_of_one_moment_is_remembered_first():
    found = memory(habits(histories([(5, 3), (2, 3), (4, 3)]), 6), 1, length=2)
    assert found.items.tolist() == [[2, 4]]


def test_a_memory_may_be_of_length_nothing():
    assert memory(habits(histories([(5, 3)]), 6), 1, length=0).items.shape == (1, 0)


def test_pairs_are_labelled_by_what_was_taken_and_paid(shop, pairs):
    made, window, _ = shop
    truth = made.dataset.truth(window)
    paid = {(truth.users[r], i): s for r, i, s in zip(truth.rows, truth.items, truth.spend, strict=True) if i}
    for user, item, label, spend in zip(pairs.users, pairs.items, pairs.labels, pairs.spend, strict=True):
        assert label == ((user, item) in paid)
        assert spend == pytest.approx(paid.get((user, item), 0.0))


def test_each_pair_points_at_the_memory_of_its_own_user(shop, pairs):
    made, window, _ = shop
    truth = made.dataset.truth(window)
    past = past_of(made.dataset, window, truth.users)
    whole = memory(habits(past, made.n_codes), len(past), length=LENGTH)
    row = np.searchsorted(truth.users, pairs.users)
    assert np.array_equal(pairs.memory.items[pairs.rows], whole.items[row])


def test_parts_of_pairs_are_joined_with_their_memories(pairs):
    twice = joined([pairs, pairs])
    assert len(twice) == 2 * len(pairs)
    half = twice.memory.items[twice.rows[len(pairs) :]]
    assert np.array_equal(half, pairs.memory.items[pairs.rows])


def test_only_negatives_that_are_new_to_a_learning_user_are_sampled(shop, pairs):
    made, window, parts = shop
    truth = made.dataset.truth(window)
    past = past_of(made.dataset, window, truth.users)
    fewer = pairs_of(past, truth, parts, columns=COLUMNS, length=LENGTH, share=0.25, seed=3)
    whole = (pairs.labels > 0) | ~pairs.unseen | (pairs.users % HELD_OUT == 0)
    kept = (fewer.labels > 0) | ~fewer.unseen | (fewer.users % HELD_OUT == 0)
    assert whole.sum() == kept.sum()
    assert (~kept).sum() == pytest.approx(0.25 * (~whole).sum(), rel=0.2)


def test_windows_add_up(shop):
    made, _, _ = shop
    windows = made.earlier(2)
    found = pairs_before(made, windows, None, COLUMNS, LENGTH)
    assert len(found.memory) == sum(len(made.dataset.truth(w)) for w in windows)


def test_a_plan_leaves_held_out_users_out_and_shares_a_step_between_devices(pairs):
    own = learnable(pairs)
    plan = PairPlan(own, weights(own, MODEL.ranker), 64, 2, 0.01, 1)
    assert not (plan.pairs.users % HELD_OUT == 0).any()
    whole = next(plan.batches(3, rank=0, world=1))
    parts = [next(plan.batches(3, rank=r, world=2)) for r in (0, 1)]
    assert whole.step == 3
    assert whole.items[0::2].tolist() == parts[0].items.tolist()
    assert whole.items[1::2].tolist() == parts[1].items.tolist()
    assert {whole.pairs, parts[0].pairs} == {64}


def test_a_plan_goes_on_from_any_step_with_the_same_batches(pairs):
    plan = PairPlan(pairs, np.ones(len(pairs), np.float32), 128, 2, 0.01, 4)
    every = list(plan.batches(0, rank=0, world=1))
    assert len(every) == plan.steps
    late = next(plan.batches(plan.per_epoch + 1, rank=0, world=1))
    assert late.items.tolist() == every[plan.per_epoch + 1].items.tolist()


def test_padding_is_never_a_candidate(shop, pairs):
    assert permitted(shop[0].n_codes, None, None)[pairs.items].all()


def test_pairs_of_which_none_was_taken_are_nothing_to_learn_from(pairs):
    with pytest.raises(BadData, match="candidates was taken in its windows"):
        learnable(pairs.take(pairs.labels == 0))
