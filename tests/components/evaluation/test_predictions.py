import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from recloop.evaluation.predictions import auc, brier, gauc, log_loss, mae, rmse

PAIRS = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 3)), min_size=1, max_size=40)


def columns(pairs):
    scores, happened, groups = zip(*pairs, strict=True)
    return np.array(scores) / 6, np.array(happened), np.array(groups)


@given(PAIRS)
@settings(max_examples=100, deadline=None)
def test_auc_equals_sklearns_with_ties(pairs):
    scores, happened, _ = columns(pairs)
    if len(set(happened)) == 1:
        assert np.isnan(auc(scores, happened))
    else:
        assert auc(scores, happened) == pytest.approx(metrics.roc_auc_score(happened, scores))


@given(PAIRS)
@settings(max_examples=100, deadline=None)
def test_gauc_equals_sklearns_auc_of_each_group_weighted_by_its_pairs(pairs):
    scores, happened, groups = columns(pairs)
    both = [g for g in set(groups.tolist()) if len(set(happened[groups == g])) == 2]
    if not both:
        assert np.isnan(gauc(scores, happened, groups))
        return
    parts = [metrics.roc_auc_score(happened[groups == g], scores[groups == g]) for g in both]
    weights = [(groups == g).sum() for g in both]
    assert gauc(scores, happened, groups) == pytest.approx(np.average(parts, weights=weights))


@given(PAIRS)
@settings(max_examples=60, deadline=None)
def test_log_loss_and_brier_equal_sklearns(pairs):
    scores, happened, _ = columns(pairs)
    p = np.clip(scores, 0.01, 0.99)
    assert log_loss(p, happened) == pytest.approx(metrics.log_loss(happened, p, labels=[False, True]))
    assert brier(p, happened) == pytest.approx(
        metrics.brier_score_loss(happened, p, pos_label=True, labels=[False, True])
    )


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_errors_of_ratings_equal_sklearns(pairs):
    predicted, given_ = map(np.array, zip(*pairs, strict=True))
    assert rmse(predicted, given_) == pytest.approx(metrics.root_mean_squared_error(given_, predicted))
    assert mae(predicted, given_) == pytest.approx(metrics.mean_absolute_error(given_, predicted))


def test_a_certainty_that_did_not_happen_costs_much_but_not_all():
    assert 30 < log_loss(np.array([1.0]), np.array([False])) < 40


def test_nothing_has_no_auc():
    assert np.isnan(auc(np.zeros(0), np.zeros(0, dtype=bool)))
