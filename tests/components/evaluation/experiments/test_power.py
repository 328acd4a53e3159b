import numpy as np
import pytest

from recloop.errors import BadData
from recloop.evaluation.experiments.power import Plan, always_valid, days, fixed, reached

PLAN = Plan(mean=0.1, deviation=0.3, effect=0.05)


def test_users_of_a_textbook_test():
    # 2 * (1.96 + 0.8416)^2 * 0.09 / 0.005^2 an arm
    assert fixed(PLAN) == pytest.approx(2 * 2 * 7.849 * 0.09 / 0.005**2, rel=1e-3)


def test_the_stated_users_have_the_stated_power():
    users = fixed(PLAN)
    rng = np.random.default_rng(9)
    found = rng.normal(0.05, np.sqrt(PLAN.variance(users)), 40_000)
    assert (np.abs(found) > 1.96 * np.sqrt(PLAN.variance(users))).mean() == pytest.approx(0.8, abs=0.01)
    assert reached(PLAN, always_valid(PLAN)) == pytest.approx(0.8, abs=0.001)


def test_looking_all_the_time_costs_users_and_a_known_past_saves_them():
    explained = Plan(mean=0.1, deviation=0.3, effect=0.05, explained=0.5)
    assert always_valid(PLAN) > fixed(PLAN)
    assert fixed(explained) == pytest.approx(fixed(PLAN) / 2, rel=1e-3)


def test_an_effect_that_two_users_show_needs_two():
    assert always_valid(Plan(mean=1.0, deviation=0.01, effect=0.5)) == 2


def test_days_are_users_over_those_who_take_part_a_day():
    assert days(10_000, daily=500, allocation=0.2) == pytest.approx(100)


def test_what_cannot_be_planned_is_refused_by_name():
    with pytest.raises(BadData, match="effect 0"):
        Plan(mean=1, deviation=1, effect=0)
    with pytest.raises(BadData, match="never come"):
        days(10, daily=0)
