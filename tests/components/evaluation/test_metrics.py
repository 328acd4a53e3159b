import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from recloop.evaluation.metrics import gini, of_catalogue, per_user


def values(lists, taken, spend=None):
    rows = np.array([r for r, _ in taken], dtype=np.int64)
    items = np.array([i for _, i in taken], dtype=np.int32)
    return per_user(
        np.array(lists, dtype=np.int32), rows, items, np.ones(len(taken)) if spend is None else np.array(spend)
    )


def test_by_hand():
    found = values([[3, 1, 2]], [(0, 1), (0, 2), (0, 9)])
    discount = 1 / np.log2([2, 3, 4])
    assert found["ndcg"][0] == pytest.approx((discount[1] + discount[2]) / discount.sum())
    assert found["recall"][0] == pytest.approx(2 / 3)
    assert found["precision"][0] == pytest.approx(2 / 3)
    assert found["mrr"][0] == pytest.approx(1 / 2)
    assert found["hit_rate"][0] == 1
    assert found["map"][0] == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_who_took_more_than_fits_into_the_list_can_still_have_a_perfect_one():
    found = values([[1, 2]], [(0, 1), (0, 2), (0, 3)])
    assert (found["ndcg"][0], found["map"][0]) == (1, 1)


def test_items_outside_the_vocabulary_are_misses_that_count():
    assert values([[1, 0]], [(0, 1), (0, 0)])["recall"][0] == pytest.approx(1 / 2)


def test_a_padded_place_is_never_a_hit():
    found = values([[0, 0]], [(0, 0)])
    assert (found["hit_rate"][0], found["spend_share"][0]) == (0, 0)


def test_a_row_that_took_nothing_has_no_value():
    found = values([[1, 2], [1, 2]], [(1, 1)])
    assert all(np.isnan(found[name][0]) for name in found)
    assert found["ndcg"][1] == 1


def test_share_of_spend():
    found = values([[1, 2], [4, 5]], [(0, 1), (0, 9), (1, 1), (1, 5)], spend=[3.0, 1.0, 1.0, 4.0])
    assert found["spend_share"] == pytest.approx([0.75, 0.8])


def test_a_row_that_paid_nothing_covers_nothing():
    assert values([[1]], [(0, 1)], spend=[0.0])["spend_share"][0] == 0


@settings(max_examples=60, deadline=None)
@given(st.permutations(list(range(1, 9))), st.sets(st.integers(1, 8), min_size=1))
def test_ndcg_is_that_of_scikit_learn(order, relevant):
    truth = np.array([[item in relevant for item in range(1, 9)]], dtype=float)
    scores = np.array([[9.0 - order.index(item) for item in range(1, 9)]])
    own = values([order[:4]], [(0, item) for item in relevant])["ndcg"][0]
    assert own == pytest.approx(ndcg_score(truth, scores, k=4))


@settings(max_examples=60, deadline=None)
@given(st.permutations(list(range(1, 9))), st.sets(st.integers(1, 8), min_size=1))
def test_map_of_a_whole_ranking_is_the_average_precision_of_scikit_learn(order, relevant):
    found = values([order], [(0, item) for item in relevant])["map"][0]
    assert found == pytest.approx(average_precision_score([i in relevant for i in order], -np.arange(8.0)))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.permutations(list(range(1, 7))), st.sets(st.integers(0, 9), min_size=1)), min_size=1))
def test_many_rows_at_once_are_what_sets_say_of_each(users):
    found = values(
        [order[:3] for order, _ in users], [(r, item) for r, (_, taken) in enumerate(users) for item in taken]
    )
    for row, (order, taken) in enumerate(users):
        hit = [item in taken for item in order[:3]]
        assert found["recall"][row] == pytest.approx(sum(hit) / len(taken))
        assert found["precision"][row] == pytest.approx(sum(hit) / 3)
        assert found["mrr"][row] == pytest.approx(1 / (1 + hit.index(True)) if any(hit) else 0)
        assert found["hit_rate"][row] == any(hit)


def test_a_list_counts_as_perfect_only_near_the_ideal():
    assert values([[1, 2]], [(0, 1), (0, 2)])["perfect"][0] == 1
    assert values([[1, 3]], [(0, 1), (0, 2)])["perfect"][0] == 0


def test_catalogue_metrics_by_hand():
    popularity = np.array([0, 3, 0, 0, 0], dtype=np.float32)
    found = of_catalogue(np.array([[1, 2]], dtype=np.int32), popularity)
    assert found["coverage"] == 0.5
    assert found["novelty"] == pytest.approx(np.mean([-np.log2(4 / 7), -np.log2(1 / 7)]))
    assert found["gini"] == pytest.approx(0.5)


@pytest.mark.parametrize(("counts", "value"), [([1, 1, 1], 0.0), ([0, 0, 0], 0.0), ([0, 0, 0, 1], 0.75)])
def test_gini(counts, value):
    assert gini(np.array(counts, dtype=float)) == pytest.approx(value)
