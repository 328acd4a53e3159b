import numpy as np
import pytest

from recloop.simulator.repeated import share, suspected, verdicts


@pytest.fixture(scope="module")
def spent():
    rng = np.random.default_rng(5)
    return np.where(rng.random(3_000) < 0.34, rng.exponential(10.0, 3_000) ** 1.3, 0.0)


def watched(spent, *, more):
    return verdicts(spent, runs=150, looks=20, block=200, more=more, tau=0.3, seed=6)


def test_a_a_tests_that_are_watched_are_hardly_ever_wrong_where_a_z_test_often_is(spent):
    better, worse, naive = watched(spent, more=0.0)
    assert share(better | worse).high < 0.08
    assert share(naive).low > 0.15


def test_a_planted_effect_is_found_on_its_own_side(spent):
    better, worse, _ = watched(spent, more=0.4)
    assert share(better).low > 0.8
    assert not worse.any()


def test_runs_are_the_same_for_the_same_seed(spent):
    first = watched(spent, more=0.1)[0]
    assert first.any()
    np.testing.assert_array_equal(first, watched(spent, more=0.1)[0])


@pytest.mark.parametrize(("own", "found"), [(0.5, False), (0.53, True)])
def test_a_split_is_suspected_where_it_is_not_the_planned_one(own, found):
    hit = suspected(runs=50, looks=50, block=400, share=own, planned=0.5, seed=7)
    assert hit.any() == found
    assert hit.all() == found


def test_a_share_has_wilsons_interval():
    found = share(np.arange(200) < 10)
    assert (found.n, found.runs, found.share) == (10, 200, 0.05)
    assert (found.low, found.high) == (pytest.approx(0.0274, abs=1e-4), pytest.approx(0.0896, abs=1e-4))
