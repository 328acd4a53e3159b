import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frames import histories
from recloop.errors import BadData
from recloop.models import item_knn
from recloop.models.item_knn import BLOCK, CODE_BITS, SHRINK, fit_item_knn

N = 7
rows = st.lists(
    st.lists(st.tuples(st.integers(1, N - 1), st.integers(1, 6)), max_size=12).map(
        lambda pairs: sorted(pairs, key=lambda pair: -pair[1])
    ),
    max_size=4,
)


def dense(table):
    """Shrunk cosine of every two items over visits (one user, one moment). [N, N]"""
    visits = [{i for i, d in row if d == day} for row in table for day in {d for _, d in row}]
    held = np.array([[item in visit for item in range(N)] for visit in visits], dtype=float).reshape(len(visits), N)
    norm = 1 / np.sqrt(held.sum(axis=0) + SHRINK)
    cosine = held.T @ held * norm[:, None] * norm[None]
    np.fill_diagonal(cosine, 0)
    return cosine


@given(rows)
def test_it_is_the_shrunk_cosine_of_a_dense_matrix(table):
    model = fit_item_knn(histories(*table), n_codes=N, neighbours=N, half_life=60.0)
    found = np.zeros((N, N))
    np.put_along_axis(found, model.neighbours, model.similarity, axis=1)
    assert found == pytest.approx(dense(table), abs=1e-6)


@given(rows)
def test_the_nearest_come_first_and_are_as_many_as_asked(table):
    model = fit_item_knn(histories(*table), n_codes=N, neighbours=2, half_life=60.0)
    assert model.similarity == pytest.approx(-np.sort(-dense(table), axis=1)[:, :2], abs=1e-6)
    assert np.all((model.neighbours > 0) == (model.similarity > 0))


@given(rows)
def test_blocks_of_items_change_nothing(table):
    whole = fit_item_knn(histories(*table), n_codes=N, neighbours=3, half_life=60.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_knn, "BLOCK", 2)
        parts = fit_item_knn(histories(*table), n_codes=N, neighbours=3, half_life=60.0)
    assert np.array_equal(parts.neighbours, whole.neighbours)
    assert np.array_equal(parts.similarity, whole.similarity)


def test_a_score_is_the_sum_of_decayed_similarities():
    past = histories([(1, 4), (2, 4)], [(2, 3), (3, 3)])
    model = fit_item_knn(past, n_codes=4, neighbours=3, half_life=10.0)
    near = dense([[(1, 4), (2, 4)], [(2, 3), (3, 3)]])
    found = model.scores(histories([(1, 20), (3, 10)]))[0]
    assert found[2] == pytest.approx(near[1, 2] / 4 + near[3, 2] / 2, rel=1e-5)


def test_an_item_taken_twice_in_a_visit_counts_once():
    once = fit_item_knn(histories([(1, 4), (2, 4)]), n_codes=3, neighbours=2, half_life=10.0)
    twice = fit_item_knn(histories([(1, 4), (1, 4), (2, 4)]), n_codes=3, neighbours=2, half_life=10.0)
    assert np.array_equal(once.similarity, twice.similarity)


def test_more_items_than_a_sort_key_holds_are_refused():
    assert BLOCK <= 2 ** (64 - 31 - CODE_BITS)
    with pytest.raises(BadData, match="4,194,303 items; the vocabulary has 4,194,304"):
        fit_item_knn(histories([(1, 4)]), n_codes=2**22 + 1, neighbours=2, half_life=10.0)
