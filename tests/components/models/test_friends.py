from types import SimpleNamespace

import numpy as np
import pytest

from frames import histories
from recloop.data.vocabulary import Vocabulary
from recloop.errors import BadData
from recloop.models.friends import Friends, friends_of

PEOPLE = SimpleNamespace(users=Vocabulary(("ann", "ben", "cay")), items=Vocabulary(("ben", "cay", "dan")))
"""codes of people as items: ben 1, cay 2, dan 3"""
FOLLOWS = histories([(1, 9)], [(2, 8), (3, 7)], [(3, 6)])
"""ann follows ben; ben follows cay and dan; cay follows dan"""


@pytest.fixture
def friends():
    return friends_of(PEOPLE, FOLLOWS, n_codes=4)


def test_whom_a_friend_follows_is_near_the_more_so_the_choosier_the_friend(friends):
    of_ben, of_cay = 1 / np.log(3), 1 / np.log(2)
    found = friends.scores(histories([(1, 1)], [(2, 1)], [(1, 2), (2, 1)]))
    assert found[0].tolist() == pytest.approx([0, 0, np.log1p(of_ben), np.log1p(of_ben)])
    assert found[1].tolist() == pytest.approx([0, 0, 0, np.log1p(of_cay)])
    assert found[2, 3] == pytest.approx(np.log1p(of_ben + of_cay))


def test_following_twice_counts_once(friends):
    assert friends_of(PEOPLE, histories([(1, 9)], [(2, 8), (2, 7), (3, 7)], [(3, 6)]), n_codes=4).follows.sum() == (
        friends.follows.sum()
    )
    once, twice = friends.scores(histories([(1, 1)], [(1, 2), (1, 1)]))
    assert np.array_equal(once, twice)


def test_a_stranger_without_follows_has_no_friends(friends):
    assert not friends.scores(histories([])).any()


def test_people_nobody_can_follow_lead_nowhere():
    alone = SimpleNamespace(users=Vocabulary(("eve", "ben")), items=PEOPLE.items)
    found = friends_of(alone, histories([(1, 1)], [(2, 1)]), n_codes=4)
    assert found.follows.nnz == 1


def test_items_that_are_no_people_are_refused():
    shop = SimpleNamespace(users=Vocabulary(("ann",)), items=Vocabulary(("tea", "milk", "bread")))
    with pytest.raises(BadData, match="none of 3 items is one of 1 users"):
        friends_of(shop, histories([(1, 1)]), n_codes=4)


def test_they_are_read_as_they_were_saved(friends, tmp_path):
    friends.save(tmp_path)
    asked = histories([(1, 1)])
    assert np.array_equal(Friends.load(tmp_path).scores(asked), friends.scores(asked))
