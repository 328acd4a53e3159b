import numpy as np
import pytest

from recloop.serving.rules.arranging import NOBODY, Pool, arrange
from recloop.serving.rules.room import Limit, Room

CODES = np.array([4, 3, 2, 1], dtype=np.int32)
EVERY = np.ones(5, dtype=bool)


class Twins:
    """Shelves on which the first two candidates are alike."""

    def likeness(self, items, others):
        return np.array([[float({int(a), int(b)} <= {4, 3}) for b in others] for a in items], dtype=np.float32)


def pool(scores=(4.0, 3.0, 2.0, 1.0), lifts=(0, 0, 0, 0), shelves=None):
    lifts = np.array(lifts, dtype=np.float32)
    boosts = np.where(lifts > 0, 0, NOBODY)
    return Pool(CODES, np.array(scores, dtype=np.float32), lifts, boosts, shelves)


def places(pool, *, room=None, slots=4, budgets=(), diversity=0.0):
    return arrange(pool, room or Room(EVERY), slots=slots, budgets=budgets, diversity=diversity).places


def test_without_rules_the_list_is_the_pools_order():
    assert places(pool(), slots=3) == [0, 1, 2]


def test_a_cap_keeps_out_more_of_its_group():
    room = Room(EVERY, (Limit(np.array([0, 1, 2, 7, 7]), 1),))
    found = arrange(pool(), room, slots=4, budgets=(), diversity=0)
    assert (found.places, found.capped) == ([0, 2, 3], 1)


def test_what_stands_in_the_list_already_counts_towards_a_cap():
    room = Room(EVERY, (Limit(np.array([7, 1, 2, 7, 7]), 1),))
    room.take(3)
    assert places(pool(), room=room) == [2, 3]


def test_items_of_no_group_are_not_capped():
    assert places(pool(), room=Room(EVERY, (Limit(np.zeros(5, dtype=np.int64), 1),))) == [0, 1, 2, 3]


def test_a_boost_lifts_within_its_budget():
    found = arrange(pool(lifts=(0, 0, 9, 9)), Room(EVERY), slots=4, budgets=(1,), diversity=0)
    assert (found.places, found.boosted) == ([2, 0, 1, 3], {2})


def test_a_boost_of_what_stands_first_anyway_costs_nothing():
    found = arrange(pool(lifts=(9, 0, 0, 9)), Room(EVERY), slots=4, budgets=(1,), diversity=0)
    assert (found.places, found.boosted) == ([0, 3, 1, 2], {3})


def test_the_lift_is_in_standard_deviations_of_the_scores():
    # deviation 1.118: half of one does not pass a whole point, one does
    assert places(pool(lifts=(0, 0.5, 0, 0)), budgets=(4,)) == [0, 1, 2, 3]
    assert places(pool(lifts=(0, 1.0, 0, 0)), budgets=(4,)) == [1, 0, 2, 3]


def test_diversity_puts_the_unlike_before_the_alike():
    assert places(pool(shelves=Twins()), diversity=0.5) == [0, 2, 3, 1]
    assert places(pool(shelves=Twins()), diversity=0.1) == [0, 1, 2, 3]


@pytest.mark.parametrize("scores", [(2.0, 2.0, 2.0, 2.0), (0.0, 0.0, 0.0, 0.0)])
def test_equal_scores_keep_their_order(scores):
    assert places(pool(scores=scores)) == [0, 1, 2, 3]


def test_an_empty_pool_gives_an_empty_list():
    none = Pool(CODES[:0], np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64), None)
    assert arrange(none, Room(EVERY), slots=3, budgets=(), diversity=0.3).places == []
