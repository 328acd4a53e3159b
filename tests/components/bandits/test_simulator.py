import numpy as np
import pytest

from recloop.bandits.simulator import World, logs, regret, truth

WORLD = World.drawn(n_arms=6, d=3, k=2, seed=0)


class Fixed:
    """Shows what a function of the pairs says."""

    def __init__(self, scored):
        self.scored, self.told = scored, []

    def show(self, pairs, k, rng):
        return np.argsort(-self.scored(pairs), axis=1)[:, :k]

    def learn(self, shown, clicks, examination):
        self.told.append((shown.shape, clicks.shape, examination.shape))


def test_who_knows_the_truth_regrets_nothing():
    knowing = Fixed(lambda pairs: WORLD.attraction(pairs[:, 0, :3]))
    assert regret(WORLD, knowing, rounds=3, batch=20, seed=1) == pytest.approx(0, abs=1e-9)
    assert knowing.told == [((20, 2, 6), (20, 2), (2,))] * 3


def test_who_knows_nothing_regrets_and_the_worst_regrets_most():
    flat = regret(WORLD, Fixed(lambda pairs: np.zeros(pairs.shape[:2])), rounds=3, batch=50, seed=1).sum()
    worst = regret(WORLD, Fixed(lambda pairs: -WORLD.attraction(pairs[:, 0, :3])), rounds=3, batch=50, seed=1).sum()
    assert 0 < flat < worst


def test_clicks_come_as_often_as_item_and_place_say():
    rng = np.random.default_rng(0)
    attraction = np.full((40_000, 6), 0.4)
    found = WORLD.clicks(attraction, np.tile([3, 1], (40_000, 1)), rng).mean(axis=0)
    np.testing.assert_allclose(found, [0.4, 0.2], atol=0.01)


def test_the_same_users_come_whoever_learns():
    met = []
    for _ in range(2):
        seen = Fixed(lambda pairs: met.append(pairs.copy()) or np.zeros(pairs.shape[:2]))
        regret(WORLD, seen, rounds=2, batch=4, seed=3)
    np.testing.assert_array_equal(met[:2], met[2:])


def test_a_log_shows_items_as_its_policy_says_and_rewards_as_the_truth_does():
    table, shown = np.array([[0.2], [0.6]]), np.array([[0.75], [0.25]])
    (log,) = logs(table, shown, n=40_000, seeds=[0])
    assert (log.items == 0).mean() == pytest.approx(0.75, abs=0.01)
    assert log.rewards[log.items == 1].mean() == pytest.approx(0.6, abs=0.02)
    assert sorted(set(log.propensities)) == [0.25, 0.75]
    assert truth(table, np.array([[0.5], [0.5]])) == pytest.approx(0.4)
