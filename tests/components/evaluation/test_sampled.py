"""Ranking among sampled candidates, ties and repeated positives included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.errors import BadData
from recloop.evaluation.sampled import Sampled, expected, full_metrics, sampled_metrics


def test_one_row_of_negatives_is_wanted_for_each_positive():
    with pytest.raises(BadData, match="2 positives stand beside negatives of 1"):
        Sampled(np.array([1, 2]), np.array([[3, 4]]))


def test_a_positive_is_ranked_among_its_own_negatives_only():
    scores = np.array([[9.0, 5, 8, 7, 6, 4]], dtype=np.float32)
    found = sampled_metrics(scores, Sampled(np.array([1]), np.array([[4, 5]])), k=2)
    assert found["hit_rate"][0] == 1
    assert found["ndcg"][0] == pytest.approx(1 / np.log2(3))


def test_a_positive_among_its_negatives_does_not_stand_above_itself():
    scores = np.array([[0.0, 5, 4]], dtype=np.float32)
    twice = Sampled(np.array([1]), np.array([[1, 2]]))
    assert twice.repeated == 1
    assert twice.candidates == "1 + 2 sampled"
    assert sampled_metrics(scores, twice, k=1)["hit_rate"][0] == 1


def test_the_full_ranking_leaves_out_padding_and_what_was_seen():
    scores = np.array([[9.0, 5, 8, 7, 6]], dtype=np.float32)
    seen = np.array([[False, False, True, True, False]])
    assert full_metrics(scores, np.array([1]), seen, k=1)["hit_rate"][0] == 0
    assert full_metrics(scores, np.array([1]), seen, k=2)["hit_rate"][0] == 1
    assert not seen[0, 1]


@given(st.integers(0, 12), st.integers(0, 12), st.integers(1, 10))
def test_ties_are_expected_over_every_place_they_leave(above, tied, k):
    places = np.arange(above, above + tied + 1)
    found = expected(np.array([above]), np.array([tied]), k=k)
    assert found["hit_rate"][0] == pytest.approx(np.mean(places < k))
    assert found["ndcg"][0] == pytest.approx(np.mean((places < k) / np.log2(places + 2)))
