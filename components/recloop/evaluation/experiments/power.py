"""How many users, and how many days, an experiment needs."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.optimize import brentq

from recloop.errors import BadData
from recloop.evaluation.experiments.always_valid import interval
from recloop.evaluation.experiments.moments import Effect

MOST = 1e12
"""users beyond which an experiment is refused"""
FEWEST = 2
"""one in each arm"""


@dataclass(frozen=True)
class Plan:
    """A metric and what is to be found in it."""

    mean: float
    deviation: float
    """standard deviation of the metric over users"""
    effect: float
    """relative: 0.05 is five percent up or down"""
    share: float = 0.5
    """of the experiment's users that get the treatment"""
    alpha: float = 0.05
    power: float = 0.8
    explained: float = 0.0
    """share of the variance that CUPED removes"""

    def __post_init__(self) -> None:
        """Raises BadData for what cannot be planned."""
        wrong = [
            name
            for name, holds in {
                "mean": self.mean != 0,
                "deviation": self.deviation > 0,
                "effect": self.effect != 0,
                "share": 0 < self.share < 1,
                "alpha": 0 < self.alpha < 1,
                "power": 0 < self.power < 1,
                "explained": 0 <= self.explained < 1,
            }.items()
            if not holds
        ]
        if wrong:
            raise BadData(
                f"No experiment can be planned with these: {', '.join(f'{n} {getattr(self, n)}' for n in wrong)}."
            )

    def variance(self, users: float) -> float:
        """Of the lift, with so many users in both arms."""
        spread = (self.deviation / self.mean) ** 2 * (1 - self.explained)
        return spread / (users * self.share) + spread / (users * (1 - self.share))


def fixed(plan: Plan) -> int:
    """Users in both arms for a test that looks once, at the end (two-sided z test)."""
    normal = NormalDist()
    reach = normal.inv_cdf(1 - plan.alpha / 2) + normal.inv_cdf(plan.power)
    return math.ceil(plan.variance(1.0) * (reach / plan.effect) ** 2)


def always_valid(plan: Plan) -> int:
    """Users after which a test that looks all the time has found the effect with the chance `power`, at the last look alone.

    An upper bound: looks before the last find it too.
    """

    def lacking(users: float) -> float:
        return plan.power - reached(plan, users)

    if lacking(MOST) > 0:
        raise BadData(f"{MOST:.0e} users do not find an effect of {plan.effect:.4%}. Plan for a larger one.")
    return FEWEST if lacking(FEWEST) <= 0 else math.ceil(float(brentq(lacking, FEWEST, MOST, xtol=0.5)))


def reached(plan: Plan, users: float) -> float:
    """Chance that the always-valid interval at so many users lies on the effect's side of 0."""
    variance, effect = plan.variance(users), abs(plan.effect)
    _, half = interval(Effect(np.zeros(1), np.full(1, variance)), tau=effect, alpha=plan.alpha)
    return NormalDist().cdf((effect - float(half[0])) / math.sqrt(variance))


def days(users: int, *, daily: float, allocation: float = 1.0) -> float:
    """Days until so many users came, where `daily` new ones come a day and `allocation` of them take part."""
    if daily <= 0 or not 0 < allocation <= 1:
        raise BadData(f"{daily} users a day, of which {allocation} take part, never come to {users:,}.")
    return users / (daily * allocation)
