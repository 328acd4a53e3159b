import numpy as np
import pytest

from frames import histories
from recloop.data.habits import habits
from recloop.models.retrieval import Exact

N = 6
PAST = histories([(1, 3), (5, 2)], [])
SCORES = np.array([[9, 5, 4, 3, 2, 1], [9, 1, 2, 3, 4, 5]], dtype=np.float32)


@pytest.fixture
def logits():
    return Exact(SCORES.copy())


@pytest.mark.parametrize("closed", [[0], [0, 3, 4]])
def test_the_greatest_unseen_of_the_allowed_are_proposed(logits, closed):
    allowed = ~np.isin(np.arange(N), closed)
    found = logits.propose(2, seen=habits(PAST, N), allowed=allowed)
    assert found.tolist() == [
        row * N + item
        for row, item in ([(0, 2), (0, 3), (1, 5), (1, 4)] if len(closed) == 1 else [(0, 2), (1, 5), (1, 2)])
    ]


def test_what_was_seen_still_has_its_logit(logits):
    logits.propose(2, seen=habits(PAST, N), allowed=np.ones(N, dtype=bool))
    assert logits.at(np.array([0, 0, 1]), np.array([1, 5, 1])).tolist() == [5, 1, 1]
