import numpy as np
import polars as pl
import pytest

from recloop.bandits.policies import policy
from recloop.bandits.verdict import judge
from recloop.errors import BadData


def log(n, logged, *, shown_first=1, seed=0):
    """n answers of one place each out of four candidates; candidate 0 is the best and is clicked most."""
    rng = np.random.default_rng(seed)
    scores = np.tile([2.0, 1.0, 0.0, -1.0], (n, 1))
    drawn = policy(logged).choose(scores, shown_first, rng)
    rank = np.zeros((n, 4))
    chance = np.zeros((n, 4))
    np.put_along_axis(rank, drawn.places, 1, axis=1)
    np.put_along_axis(chance, drawn.places, drawn.propensities, axis=1)
    table = pl.DataFrame(
        {
            "receipt_id": np.repeat([f"a{i:05}" for i in range(n)], 4),
            "item_id": np.tile(list("pqrs"), n),
            "score": scores.ravel(),
            "rank": rank.ravel().astype(np.int64),
            "propensity": chance.ravel(),
            "reward": (rank * (rng.random((n, 4)) < [0.5, 0.2, 0.2, 0.2])).ravel(),
        }
    )
    return table.with_columns(pl.when(pl.col("rank") > 0).then(pl.col(c)).alias(c) for c in ("rank", "propensity"))


def test_a_policy_within_what_was_explored_is_judged():
    found = judge(log(2_000, "epsilon_greedy=0.4"), "top_k")
    assert found.estimates["snipw"].value == pytest.approx(0.5, abs=0.05)
    assert found.estimates["switch_dr"].low < 0.5 < found.estimates["switch_dr"].high


def test_a_policy_that_shows_what_was_never_shown_is_refused_and_shown_only_when_insisted_upon():
    never = log(2_000, "top_k")
    with pytest.raises(BadData, match=r"75% of what it would show had no chance"):
        judge(never, "uniform")
    assert judge(never, "uniform", anyway=True).mean_weight == pytest.approx(0.25)


def test_a_log_that_is_worth_a_handful_of_rows_is_refused():
    with pytest.raises(BadData, match=r"at least 50 are needed"):
        judge(log(60, "uniform"), "top_k")
