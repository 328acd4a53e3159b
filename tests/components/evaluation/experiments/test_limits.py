import numpy as np

from recloop.evaluation.experiments.limits import above


def watched(chance, *, runs, answers, limit, seed):
    bad = (np.random.default_rng(seed).random((runs, answers)) < chance).cumsum(axis=1)
    return above(bad, np.arange(1, answers + 1), limit=limit)


def test_a_share_at_its_limit_is_blamed_in_at_most_5_percent_of_runs_watched_at_every_answer():
    assert (watched(0.01, runs=1_000, answers=1_000, limit=0.01, seed=4) < 0.05).any(axis=1).mean() <= 0.05


def test_a_share_far_above_its_limit_is_found_within_a_hundred_answers():
    assert (watched(0.2, runs=100, answers=100, limit=0.01, seed=5) < 0.01).any(axis=1).all()


def test_nothing_bad_is_no_evidence():
    assert above(0, 100_000, limit=0.001) == 1
