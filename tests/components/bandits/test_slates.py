import numpy as np
import polars as pl
import pytest

from recloop.bandits.estimators import NAMES, terms
from recloop.bandits.policies import policy
from recloop.bandits.slates import rounds, slates
from recloop.bandits.verdict import judge
from recloop.errors import BadConfig, BadData

RATES = np.array([0.5, 0.35, 0.2, 0.1, 0.05])
EXAMINED = np.array([1.0, 0.6, 0.3])


def answers(n, own="softmax=1.5", seed=0):
    """A log of n answers of 3 out of 5 items; clicks depend on item and place alone."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 5))
    slate = policy(own).choose(scores, 3, rng)
    rank = np.full((n, 5), -1)
    np.put_along_axis(rank, slate.places, np.arange(1, 4)[None], axis=1)
    propensity = np.zeros((n, 5))
    np.put_along_axis(propensity, slate.places, slate.propensities, axis=1)
    shown = rank > 0
    clicks = rng.random((n, 5)) < RATES * np.where(shown, EXAMINED[np.maximum(rank, 1) - 1], 0)
    table = pl.DataFrame(
        {
            "receipt_id": np.repeat([f"a{i:05}" for i in range(n)], 5),
            "user_id": np.repeat([f"u{i // 2:05}" for i in range(n)], 5),
            "item_id": np.tile(["p", "q", "r", "s", "t"], n),
            "score": scores.ravel(),
            "rank": rank.ravel(),
            "propensity": propensity.ravel(),
            "reward": clicks.ravel().astype(float),
        }
    )
    hidden = pl.col("rank") < 1
    return table.with_columns(
        pl.when(~hidden).then(pl.col(name)).alias(name) for name in ("rank", "propensity", "reward")
    ), scores


def earned(scores, own, times=200):
    """Expected reward a place, by drawing the policy's own slates."""
    rng = np.random.default_rng(9)
    drawn = [RATES[policy(own).choose(scores, 3, rng).places] @ EXAMINED / 3 for _ in range(times)]
    return float(np.mean(drawn))


@pytest.mark.parametrize("own", ["top_k", "uniform", "epsilon_greedy=0.3", "softmax=2"])
def test_every_estimator_but_the_model_alone_finds_what_the_policy_would_earn(own):
    log, scores = answers(12_000)
    seen = rounds(slates(log), policy(own))
    truth = earned(scores, own, times=20)
    for name in NAMES:
        assert terms(name, seen).value == pytest.approx(truth, abs=0.02), name


def test_a_policy_judged_on_its_own_log_has_weights_of_one():
    log, _ = answers(50)
    seen = rounds(slates(log), policy("softmax=1.5"))
    np.testing.assert_allclose(seen.weights, 1)
    assert terms("ipw", seen).value == pytest.approx(log["reward"].sum() / 150)


def test_a_places_weight_is_the_product_of_the_ratios_down_to_it():
    log, _ = answers(50)
    seen = rounds(slates(log), policy("uniform"))
    table = slates(log)
    np.testing.assert_allclose(
        seen.weights.reshape(50, 3), (np.array([1 / 5, 1 / 4, 1 / 3]) / table.propensities).cumprod(axis=1)
    )


def test_below_what_the_policy_never_shows_nothing_is_expected():
    log, _ = answers(50)
    seen = rounds(slates(log), policy("top_k"))
    above = seen.weights.reshape(50, 3)[:, :2]
    assert (above == 0).any()
    np.testing.assert_array_equal(above == 0, seen.expected.reshape(50, 3)[:, 1:] == 0)


def test_the_order_of_the_logs_rows_is_of_no_account():
    log, _ = answers(40)
    one, other = (rounds(slates(t), policy("uniform")) for t in (log, log.sample(fraction=1, shuffle=True, seed=1)))
    for name in ("rewards", "weights", "modelled", "expected", "direct", "clusters"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_blocks_of_answers_are_read_as_the_whole(monkeypatch):
    log, _ = answers(40)
    whole = rounds(slates(log), policy("top_k"))
    monkeypatch.setattr("recloop.bandits.slates.CELLS", 100)
    parts = rounds(slates(log), policy("top_k"))
    for name in ("weights", "modelled", "expected", "direct"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_answers_of_one_user_are_one_cluster():
    log, _ = answers(40)
    assert len(np.unique(slates(log).clusters)) == 20
    assert len(np.unique(slates(log.drop("user_id")).clusters)) == 40


def test_one_answer_alone_is_judged_without_a_model():
    log, _ = answers(1)
    assert (rounds(slates(log), policy("uniform")).modelled == 0).all()


def test_a_short_answer_ends():
    log, _ = answers(40)
    short = log.filter((pl.col("receipt_id") != "a00000") | (pl.col("rank") == 1))
    seen = rounds(slates(short), policy("uniform"))
    assert len(seen) == 40 * 3 - 2
    assert np.isfinite(seen.expected).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop("score"), "lacks score"),
        (lambda t: t.with_columns(rank=pl.lit(None, pl.Int64)), "nothing was shown"),
        (lambda t: t.with_columns(propensity=pl.col("propensity") * 0), r"150 of 150 shown rows have no propensity"),
        (lambda t: t.with_columns(rank=pl.col("rank") - 1), "50 of 150 shown rows have a rank below 1"),
        (lambda t: t.with_columns(rank=pl.col("rank").clip(1, 1)), "150 shown rows share"),
        (lambda t: t.with_columns(item_id=pl.lit("p")), "has twice"),
        (lambda t: t.with_columns(score=pl.lit(None, pl.Float64)), "250 of 250 candidates have no finite"),
        (lambda t: t.with_columns(score=pl.lit(np.nan)), "250 of 250 candidates have no finite"),
    ],
)
def test_a_log_that_cannot_be_judged_is_refused(change, said):
    log, _ = answers(50)
    with pytest.raises(BadData, match=said):
        rounds(slates(change(log)), policy("uniform"))


def test_the_verdict_has_every_estimate_and_the_log_itself():
    log, scores = answers(3_000)
    found = judge(log, "uniform")
    assert tuple(found.estimates) == NAMES
    assert (found.rows, found.answers, found.clusters) == (9_000, 3_000, 1_500)
    assert found.logged.value == pytest.approx(log["reward"].sum() / 9_000)
    assert found.mean_weight == pytest.approx(1, abs=0.1)
    assert 0 < found.effective_rows < 9_000
    truth = earned(scores, "uniform", times=20)
    assert found.estimates["dr"].low <= truth <= found.estimates["dr"].high
    with pytest.raises(BadConfig, match="no policy"):
        judge(log, "best")
