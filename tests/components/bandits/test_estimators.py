import numpy as np
import pytest

from recloop.bandits.confidence import KINDS, intervals
from recloop.bandits.estimators import NAMES, RULES, Rounds, chosen, effective_rows, terms
from recloop.bandits.logged import refitted, rounds
from recloop.bandits.simulator import logs, truth
from recloop.errors import BadData

TABLE = np.array([[0.5, 0.4], [0.3, 0.2], [0.1, 0.3]])
UNIFORM = np.full((3, 2), 1 / 3)
TARGET = np.array([[0.7, 0.5], [0.2, 0.2], [0.1, 0.3]])


def interval(own, clusters, **options):
    return intervals([own], clusters, **options)[0]


def literal():
    return Rounds(
        rewards=np.array([1.0, 0, 1, 0]),
        weights=np.array([2.0, 0.5, 0.0, 4.0]),
        modelled=np.array([0.5, 0.2, 0.1, 0.4]),
        expected=np.array([0.3, 0.3, 0.2, 0.2]),
        direct=np.array([0.4, 0.4, 0.2, 0.2]),
        clusters=np.arange(4),
    )


@pytest.mark.parametrize(
    ("name", "switch", "value"),
    [
        ("dm", None, 0.3),
        ("ipw", None, 0.5),
        ("snipw", None, 2 / 6.5),
        ("dr", None, 0.25 + (1 - 0.1 - 1.6) / 4),
        ("sndr", None, 0.25 + (1 - 0.1 - 1.6) / 6.5),
        ("switch_dr", 2.0, 0.25 + (1 - 0.1) / 4),
        ("dros", 4.0, 0.25 + (8 / 8 * 0.5 - 2 / 4.25 * 0.2 - 16 / 20 * 0.4) / 4),
        ("dros", np.inf, 0.25 + (1 - 0.1 - 1.6) / 4),
    ],
)
def test_the_value_is_what_the_formula_says(name, switch, value):
    assert terms(name, literal(), switch=switch).value == pytest.approx(value)


@pytest.mark.parametrize("name", NAMES)
def test_the_influence_is_the_derivative_of_the_value_in_a_rows_weight(name):
    found = terms(name, literal(), switch=3.0)
    step = 1e-6
    for row in range(4):
        share = np.full(4, (1 - step) / 4)
        share[row] += step
        bottom = share @ found.bottom
        moved = share @ found.base + (share @ found.top) / bottom
        assert (moved - found.value) / step == pytest.approx(found.influence[row], abs=1e-4)


@pytest.mark.parametrize("name", ["ipw", "snipw", "dr", "sndr", "switch_dr", "dros"])
def test_estimates_come_to_the_truth_as_the_log_grows(name):
    (log,) = logs(TABLE, UNIFORM, n=200_000, seeds=[1])
    assert terms(name, rounds(log, TARGET)).value == pytest.approx(truth(TABLE, TARGET), abs=0.006)


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_judged_on_its_own_log_has_the_logs_mean(name):
    (log,) = logs(TABLE, TARGET, n=4_000, seeds=[2])
    seen = rounds(log, TARGET)
    np.testing.assert_allclose(seen.weights, 1)
    assert terms(name, seen, switch=100.0).value == pytest.approx(log.rewards.mean(), abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_the_truth_as_often_as_they_say(kind):
    names = ("ipw", "snipw", "dr", "sndr")
    held = np.zeros(4)
    for seed, log in enumerate(logs(TABLE, UNIFORM, n=500, seeds=range(100))):
        seen = rounds(log, TARGET)
        found = intervals([terms(name, seen) for name in names], log.clusters, kind=kind, times=200, seed=seed)
        held += [own.low <= truth(TABLE, TARGET) <= own.high for own in found]
    least = 0.98 if kind == "bernstein" else 0.88
    assert held.min() / 100 >= least


def test_rows_of_one_user_widen_the_interval():
    (log,) = logs(TABLE, UNIFORM, n=600, seeds=[3])
    order = np.argsort(log.rewards)
    found = terms("ipw", rounds(log, TARGET))
    apart = interval(found, log.clusters, kind="normal")
    alike = np.empty(600, dtype=np.int64)
    alike[order] = np.arange(600) // 10
    assert interval(found, alike, kind="normal").error > 2 * apart.error


def test_the_models_own_noise_is_in_the_refitted_interval_alone():
    (log,) = logs(TABLE, UNIFORM, n=600, seeds=[4])
    given = interval(terms("dm", rounds(log, TARGET)), log.clusters, times=200)
    found = refitted(log, TARGET, ["dm", "ipw"], times=200, seed=0)
    assert np.ptp(np.quantile(found[:, 0], [0.025, 0.975])) > 2 * (given.high - given.low)
    assert found[:, 1].std() == pytest.approx(interval(terms("ipw", rounds(log, TARGET)), log.clusters).error, rel=0.2)


def heavy(errors):
    half, weights, rewards = np.full(400, 0.5), np.ones(400), np.full(400, 0.5)
    weights[:8], rewards[:8] = 300, 0.5 + np.array(errors)
    return Rounds(rewards, weights, half, half, half, np.arange(400))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["switch_dr", "dros"])
def test_heavy_weights_are_cut_where_the_model_is_right_without_them(name, rule):
    assert chosen(name, heavy([0.5, -0.5] * 4), rule=rule) == 5
    assert chosen(name, heavy([0.5] * 8), rule=rule) > 100
    with pytest.raises(BadData, match="no rule"):
        chosen(name, heavy([0.5] * 8), rule="guess")


def test_effective_rows_are_all_of_them_only_under_equal_weights():
    assert effective_rows(np.ones(10)) == 10
    assert effective_rows(np.r_[1.0, np.zeros(9)]) == 1


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(BadData, match="empty"):
        Rounds(*[np.zeros(0)] * 5, np.zeros(0, np.int64))
    with pytest.raises(BadData, match="1 of 2 weights"):
        Rounds(np.zeros(2), np.array([1, np.nan]), np.zeros(2), np.zeros(2), np.zeros(2), np.arange(2))
    with pytest.raises(BadData, match="no estimator 'magic'"):
        terms("magic", literal())
    with pytest.raises(BadData, match="no interval"):
        interval(terms("ipw", literal()), np.arange(4), kind="wide")
