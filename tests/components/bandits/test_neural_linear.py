import numpy as np
import pytest
from scipy import stats

from recloop.bandits.neural_linear import NeuralLinear
from recloop.errors import BadArtifact, BadData


def rows(n, d=3, seed=0, noise=0.5):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, d))
    return hidden, hidden @ np.arange(1, d + 1) + 2 + noise * rng.normal(size=n)


def test_the_mean_is_ridge_regression():
    hidden, rewards = rows(40)
    z = np.c_[hidden, np.ones(40)]
    expected = np.linalg.solve(z.T @ z + 2 * np.eye(4), z.T @ rewards)
    np.testing.assert_allclose(NeuralLinear.prior(3, strength=2.0).update(hidden, rewards).mean[0], expected)


def test_parts_of_the_rows_give_the_posterior_of_all():
    hidden, rewards = rows(40)
    whole = NeuralLinear.prior(3).update(hidden, rewards)
    parts = NeuralLinear.prior(3).update(hidden[:7], rewards[:7]).update(hidden[7:], rewards[7:])
    for name in ("precision", "moment", "shape", "rate"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name))


def test_each_arm_learns_from_its_own_rows_alone():
    hidden, rewards = rows(60)
    arms = np.arange(60) % 3
    every = NeuralLinear.prior(3, arms=4).update(hidden, rewards, arms)
    for arm in range(3):
        own = NeuralLinear.prior(3).update(hidden[arms == arm], rewards[arms == arm])
        np.testing.assert_allclose(every.mean[arm], own.mean[0])
        np.testing.assert_allclose(every.noise[arm], own.noise[0])
    np.testing.assert_allclose(every.mean[3], 0)


def test_draws_have_the_students_t_distribution_of_the_posterior():
    hidden, rewards = rows(12)
    own = NeuralLinear.prior(3).update(hidden, rewards)
    at = np.array([[[0.4, -1.0, 0.7]]])
    drawn = own.draws(at, 20_000, np.random.default_rng(1))[:, 0, 0]
    z = np.r_[at[0, 0], 1]
    spread = np.sqrt(own.noise[0] / own.shape[0] * (z @ np.linalg.solve(own.precision[0], z)))
    exact = stats.t(2 * own.shape[0], loc=own.scores(at)[0, 0], scale=spread)
    assert stats.kstest(drawn, exact.cdf).pvalue > 0.001


def test_the_noise_found_is_that_of_the_rows():
    own = NeuralLinear.prior(3).update(*rows(5_000))
    assert own.noise[0] / (own.shape[0] - 1) == pytest.approx(0.25, rel=0.1)


def test_a_reward_seen_half_the_time_tells_of_twice_the_rate():
    hidden = np.zeros((4_000, 1))
    seen = np.full(4_000, 0.5)
    clicks = (np.random.default_rng(0).random(4_000) < 0.5 * 0.4).astype(float)
    assert NeuralLinear.prior(1).update(hidden, clicks, seen=seen).mean[0, -1] == pytest.approx(0.4, abs=0.03)


def test_contexts_are_scored_for_each_arm_and_pairs_by_the_one():
    assert NeuralLinear.prior(3, arms=5).draws(np.zeros((2, 3)), 7, np.random.default_rng(0)).shape == (7, 2, 5)
    assert NeuralLinear.prior(3).draws(np.zeros((2, 4, 3)), 7, np.random.default_rng(0)).shape == (7, 2, 4)


def test_discounted_rows_count_less():
    hidden, rewards = rows(40)
    own = NeuralLinear.prior(3).update(hidden, rewards)
    late = own.discounted(0.1).update(hidden, -rewards)
    assert (late.mean[0] * own.mean[0] < 0).all()


def test_what_was_saved_is_loaded_and_saved_alike(tmp_path):
    own = NeuralLinear.prior(3, arms=2).update(*rows(9), np.arange(9) % 2)
    own.save(tmp_path / "a.safetensors")
    NeuralLinear.load(tmp_path / "a.safetensors").save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    np.testing.assert_array_equal(NeuralLinear.load(tmp_path / "b.safetensors").precision, own.precision)


def test_another_file_and_another_width_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(1)}, tmp_path / "x.safetensors")
    with pytest.raises(BadArtifact, match="lacks precision"):
        NeuralLinear.load(tmp_path / "x.safetensors")
    with pytest.raises(BadData, match="2 features, the posterior 3"):
        NeuralLinear.prior(3).update(np.zeros((1, 2)), np.zeros(1))
