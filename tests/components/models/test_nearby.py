import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from frames import histories
from recloop.models.item_knn import fit_item_knn
from recloop.models.nearby import Nearby

N = 9
SHOP = histories([(1, 9), (2, 9), (3, 9), (4, 5)], [(2, 8), (3, 8), (5, 8)], [(1, 7), (6, 7), (7, 2), (8, 2)])
KNN = fit_item_knn(SHOP, n_codes=N, neighbours=3, half_life=30.0)
events = st.lists(st.tuples(st.integers(1, N - 1), st.integers(1, 400)), max_size=6)
shops = st.lists(events, min_size=1, max_size=4)


def past(rows):
    return histories(*(sorted(row, key=lambda event: -event[1]) for row in rows))


@given(shops)
def test_it_says_what_the_dense_scores_say_to_the_bit(rows):
    made = past(rows)
    row, item = np.divmod(np.arange(len(made) * N), N)
    assert np.array_equal(Nearby.of(KNN, made).at(row, item).reshape(len(made), N), KNN.nearness(made))


@given(shops, st.integers(0, 5))
def test_it_proposes_the_nearest_of_each_row_that_are_not_blocked(rows, cap):
    near = Nearby.of(KNN, past(rows))
    blocked = near.items % 2 == 0
    entries = sorted(
        zip(near.rows[~blocked], -near.values[~blocked], near.items[~blocked], strict=True),
    )
    best = [row * N + item for n in range(len(rows)) for row, _, item in [e for e in entries if e[0] == n][:cap]]
    assert near.propose(cap, blocked).tolist() == best
