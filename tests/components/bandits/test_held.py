import numpy as np
import pytest

from recloop.bandits.held import held
from recloop.bandits.policies import policy
from recloop.bandits.simulator import World


@pytest.fixture(scope="module")
def found():
    world = World.drawn(n_arms=10, d=3, k=2, seed=1)
    judged = {"names": ("dr", "ipw"), "n_logs": 40, "n": 400, "times": 100, "seed": 2}
    return held(world, policy("epsilon_greedy=0.5"), policy("softmax=1"), **judged)


def test_intervals_of_doubly_robust_estimates_hold_the_truth_in_most_logs(found):
    assert found[0].name == "dr"
    assert found[0].holds.mean() >= 0.85


def test_doubly_robust_estimates_are_nearer_to_the_truth_than_weights_alone(found):
    dr, ipw = ((own.values - own.truth) for own in found)
    assert np.sqrt((dr**2).mean()) < np.sqrt((ipw**2).mean())


def test_the_truth_is_nobodys_estimate(found):
    assert found[0].truth == found[1].truth
    assert found[0].values.mean() == pytest.approx(found[0].truth, rel=0.05)


def test_logs_that_do_not_carry_the_policy_are_counted_and_left_out():
    world = World.drawn(n_arms=10, d=3, k=2, seed=1)
    own = held(world, policy("epsilon_greedy=0.02"), policy("uniform"), names=("dr",), n_logs=3, n=50, times=10, seed=2)
    assert (own[0].refused, len(own[0].values)) == (3, 0)
