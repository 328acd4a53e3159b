from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.bandits.policies import KINDS, Best, Boltzmann, Uniform, policy
from recloop.errors import BadConfig

SCORES = np.array([[0.3, 1.2, -0.5, 0.9]])
POSTERIOR = np.random.default_rng(3).normal(size=(40, 1, 4))
ALL = (Best(), Best(0.3), Boltzmann(0.7), Uniform())


@pytest.mark.parametrize("own", [*ALL, Best(0.05)], ids=str)
@pytest.mark.parametrize("scores", [SCORES, POSTERIOR], ids=["scores", "posterior"])
def test_the_chances_of_all_slates_sum_to_one(own, scores):
    slates = np.array(list(permutations(range(4), 3)))
    many = np.repeat(scores, len(slates), axis=scores.ndim - 2)
    assert own.propensities(many, slates).prod(axis=1).sum() == pytest.approx(1)


@pytest.mark.parametrize("own", [Best(0.3), Boltzmann(0.7), Uniform()], ids=str)
def test_slates_are_drawn_as_often_as_their_propensity_says(own):
    n = 40_000
    scores = np.repeat(SCORES, n, axis=0)
    slate = own.choose(scores, 2, np.random.default_rng(1))
    keys = slate.places[:, 0] * 4 + slate.places[:, 1]
    found = np.bincount(keys, minlength=16) / n
    said = np.zeros(16)
    said[keys] = slate.propensities.prod(axis=1)
    assert np.abs(found - said).max() < 4 * np.sqrt(0.25 / n)


@pytest.mark.parametrize("own", ALL, ids=str)
def test_the_propensities_of_a_shown_slate_are_found_again_from_the_scores(own):
    scores = np.random.default_rng(2).normal(size=(50, 6))
    slate = own.choose(scores, 4, np.random.default_rng(1))
    np.testing.assert_array_equal(own.propensities(scores, slate.places), slate.propensities)


def test_softmax_is_the_plackett_luce_model():
    weight = np.exp(SCORES[0] / 2)
    said = weight[3] / weight.sum() * weight[0] / (weight.sum() - weight[3])
    assert Boltzmann(2.0).propensities(SCORES, np.array([[3, 0]])).prod() == pytest.approx(said)


def test_thompson_is_the_share_of_draws_in_which_an_item_is_the_best_left():
    drawn = np.array([[[3.0, 2, 1]], [[1, 3, 2]], [[3, 1, 2]], [[3, 2, 1]]])
    np.testing.assert_allclose(Best(0.0).propensities(drawn, np.array([[0, 1]])), [[0.75, 0.75]])
    np.testing.assert_allclose(
        Best(0.3).propensities(drawn, np.array([[0, 1]])), [[0.7 * 0.75 + 0.1, 0.7 * 0.75 + 0.15]]
    )


def test_the_plain_top_k_is_certain_and_in_order():
    slate = Best().choose(SCORES, 3, np.random.default_rng(0))
    assert slate.places.tolist() == [[1, 3, 0]]
    assert slate.propensities.tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("own", ALL, ids=str)
def test_a_row_without_enough_candidates_ends(own):
    scores = np.array([[1.0, -np.inf, 0.0], [-np.inf] * 3])
    slate = own.choose(scores, 3, np.random.default_rng(0))
    assert sorted(slate.places[0].tolist()) == [-1, 0, 2]
    assert slate.places[1].tolist() == [-1] * 3
    assert slate.propensities[1].tolist() == [1] * 3


def test_marginals_are_the_chance_at_each_place_whatever_is_above():
    found = Boltzmann(1.0).marginals(SCORES, 2, np.random.default_rng(0), times=4_000)
    slates = np.array(list(permutations(range(4), 2)))
    chance = Boltzmann(1.0).propensities(np.repeat(SCORES, 12, axis=0), slates).prod(axis=1)
    second = np.bincount(slates[:, 1], chance)
    np.testing.assert_allclose(found[0, :, 0], np.exp(SCORES[0]) / np.exp(SCORES[0]).sum())
    np.testing.assert_allclose(found[0, :, 1], second, atol=0.02)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=8), st.sampled_from(ALL), st.integers(0, 9))
def test_what_is_shown_always_had_a_chance_and_is_shown_once(scores, own, seed):
    slate = own.choose(np.array([scores]), len(scores), np.random.default_rng(seed))
    assert (slate.propensities > 0).all()
    assert sorted(slate.places[0].tolist()) == list(range(len(scores)))


@pytest.mark.parametrize("name", KINDS)
def test_every_policy_has_a_name(name):
    assert policy(name).choose(SCORES, 2, np.random.default_rng(0)).places.shape == (1, 2)


@pytest.mark.parametrize("text", ["best", "softmax=0", "epsilon_greedy=2", "softmax=warm"])
def test_a_policy_that_there_is_not_is_refused(text):
    with pytest.raises(BadConfig):
        policy(text)


def test_the_number_of_a_policy_is_read():
    assert policy("epsilon_greedy=0.25") == Best(0.25)
    assert policy("softmax=2") == Boltzmann(2.0)
