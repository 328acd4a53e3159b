import gzip

import numpy as np
import pytest
from scipy import stats

from recloop.bandits.estimators import terms
from recloop.bandits.logged import Logged, open_bandit, refitted, rounds, thompson_target
from recloop.bandits.simulator import logs
from recloop.errors import BadData

ROWS = """,timestamp,item_id,position,click,propensity_score,user_feature_0
0,2019-11-24 00:00:34+00:00,1,3,0,0.5,a
1,2019-11-24 00:00:53+00:00,0,1,1,0.25,b
"""
ITEMS = ",item_id,item_feature_0\n0,0,0.1\n1,1,0.2\n2,2,0.3\n"


@pytest.mark.parametrize("packed", [False, True])
def test_the_open_bandit_files_are_read_plain_or_packed(tmp_path, packed):
    place = tmp_path / "bts" / "men"
    place.mkdir(parents=True)
    (place / "item_context.csv").write_text(ITEMS)
    if packed:
        (place / "men.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    else:
        (place / "men.csv").write_text(ROWS)
    log = open_bandit(tmp_path, behaviour="bts", campaign="men")
    assert (log.n_items, log.n_positions, len(log)) == (3, 3, 2)
    assert (log.items.tolist(), log.positions.tolist()) == ([1, 0], [2, 0])
    assert (log.rewards.tolist(), log.propensities.tolist()) == ([0, 1], [0.5, 0.25])


def test_a_folder_without_the_log_is_refused(tmp_path):
    with pytest.raises(BadData, match=r"has no all\.csv"):
        open_bandit(tmp_path, behaviour="bts", campaign="all")


def test_what_was_shown_had_a_chance():
    zeros = np.zeros(2, np.int64)
    with pytest.raises(BadData, match="1 of 2 propensities"):
        Logged(zeros, zeros, np.zeros(2), np.array([0.0, 1.0]), np.arange(2), 1, 1)


def test_a_policy_over_other_items_is_refused():
    (log,) = logs(np.full((3, 1), 0.5), np.full((3, 1), 1 / 3), n=30, seeds=[0])
    with pytest.raises(BadData, match=r"\(4, 1\), the log has 3 items at 1 positions"):
        rounds(log, np.full((4, 1), 0.25))


def test_the_thompson_policy_of_two_arms_is_the_chance_that_one_draws_more():
    found = thompson_target(np.array([3.0, 5.0]), np.array([9.0, 10.0]), places=2, times=100_000, seed=0)
    grid = np.linspace(0, 1, 20_001)
    more = np.trapezoid(stats.beta(3, 9).pdf(grid) * stats.beta(5, 10).cdf(grid), grid)
    np.testing.assert_allclose(found, [[more, 1 - more], [1 - more, more]], atol=0.006)


def test_resamples_that_are_given_are_taken():
    (log,) = logs(np.array([[0.2], [0.6]]), np.full((2, 1), 0.5), n=200, seeds=[0])
    target = np.array([[0.9], [0.1]])
    once = np.ones(200)
    half = np.repeat([2.0, 0.0], 100)
    found = refitted(log, target, ["ipw", "dr"], times=9, seed=0, resamples=[once, half])
    whole = [terms(name, rounds(log, target)).value for name in ("ipw", "dr")]
    np.testing.assert_allclose(found[0], whole)
    first = target[log.items[:100], 0] / 0.5 * log.rewards[:100]
    assert found[1, 0] == pytest.approx(first.mean())
