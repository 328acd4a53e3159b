import numpy as np
import polars as pl
import pytest

from recloop.feedback import clusters
from recloop.feedback.clusters import ratios


def hit_rate(frame, *, draws=200, seed=1):
    metrics = {"hit_rate": (pl.col("hit"), pl.lit(1.0))}
    return ratios(frame, group="group", metrics=metrics, draws=draws, seed=seed)["hit_rate"]


def users(hits, group="a", per_user=1):
    n = len(hits)
    return pl.DataFrame({"user_id": [f"u{i // per_user:04}" for i in range(n)], "group": [group] * n, "hit": hits})


def test_the_value_is_the_ratio_of_sums():
    rows = {"user_id": ["u", "u", "v"], "group": ["a", "a", "a"], "hit": [1, 0, 3], "of": [2, 2, 4]}
    metrics = {"share": (pl.col("hit"), pl.col("of")), "other": (pl.col("of"), pl.col("hit"))}
    found = ratios(pl.DataFrame(rows), group="group", metrics=metrics, draws=10, seed=0)
    assert [found[m].value.tolist() for m in metrics] == [[0.5], [2.0]]


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    covered = 0
    for trial in range(200):
        rate = rng.beta(2, 2, 100)  # users differ: truth is 0.5
        hits = (rng.random((100, 10)) < rate[:, None]).astype(float).ravel().tolist()
        low, high = hit_rate(users(hits, per_user=10), seed=trial).interval(0.9)
        covered += low[0] <= 0.5 <= high[0]
    assert 0.83 <= covered / 200 <= 0.97


def test_users_whose_answers_are_alike_get_a_wider_interval_than_as_many_users():
    hits = np.repeat(np.arange(100) % 2, 10).astype(float).tolist()
    alike = np.ptp(hit_rate(users(hits, per_user=10)).interval(0.9))
    apart = np.ptp(hit_rate(users(hits)).interval(0.9))
    assert alike > 2 * apart


def test_the_same_seed_gives_the_same_draws():
    frame = users([0.0, 1.0] * 50)
    assert np.array_equal(hit_rate(frame).draws, hit_rate(frame).draws)


def test_two_groups_of_the_same_users_move_together():
    frame = pl.concat([users([0.0, 1.0] * 50, "a"), users([0.0, 1.0] * 50, "b")])
    draws = hit_rate(frame).draws
    assert np.array_equal(draws[:, 0], draws[:, 1])


def test_groups_come_sorted():
    frame = pl.concat([users([1.0], "b"), users([0.0], "a")])
    assert hit_rate(frame).groups == ("a", "b")


def test_a_group_without_a_denominator_has_no_value():
    metrics = {"m": (pl.col("hit"), pl.lit(0.0))}
    found = ratios(users([0.0, 0.0]), group="group", metrics=metrics, draws=10, seed=0)["m"]
    assert np.isnan([found.value[0], *np.ravel(found.interval(0.9))]).all()


def test_no_answers_give_no_groups():
    found = hit_rate(users([]).cast({"user_id": pl.String, "group": pl.String, "hit": pl.Float64}))
    assert (found.groups, found.draws.shape) == ((), (200, 0))


def test_more_users_than_clusters_keep_the_value(monkeypatch):
    monkeypatch.setattr(clusters, "MOST", 7)
    found = hit_rate(users([0.0, 1.0, 1.0, 1.0] * 25))
    assert found.value[0] == pytest.approx(0.75)
