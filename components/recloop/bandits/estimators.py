"""Off-policy estimators: the value of one policy from the log of another, for all of them in one form.

Every estimator here is mean(base) + mean(top) / mean(bottom) over the logged rows; DM has no top, and the bottom is 1
where the weights are not normalised. So one bootstrap, one linearisation and one choice of a hyperparameter serve them all.
Sources: Dudik et al. 2014 (DM, IPW, DR), Swaminathan and Joachims 2015 (SNIPW), Wang et al. 2017 (Switch-DR), Su et al.
2020 (DRos, and the choice of lambda), Saito et al. 2021 (the same names on the Open Bandit data).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from recloop.errors import BadData

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
NAMES = ("dm", "ipw", "snipw", "dr", "sndr", "switch_dr", "dros")
SWITCHES = (5.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 5_000.0, np.inf)
"""thresholds of Switch-DR to choose from, and lambdas of DRos"""
RULES = ("slope", "bound")
DELTA = 0.1
"""chance that an interval of a rule fails"""


@dataclass(frozen=True)
class Rounds:
    """Logged rows as the estimators see them."""

    rewards: F64  # [n]
    weights: F64  # [n] probability under the judged policy over that under the logging one
    modelled: F64  # [n] reward model of what was shown
    expected: (
        F64  # [n] mean of the reward model over what the judged policy shows below the same items, times their weight
    )
    direct: (
        F64  # [n] the same over all that the judged policy shows at this place; equal to `expected` in slates of one
    )
    clusters: I64  # [n] rows of one user (or answer) are resampled together

    def __post_init__(self) -> None:
        """Raises BadData for what cannot be judged."""
        if not len(self.rewards):
            raise BadData("The log is empty: no row to judge a policy on.")
        if not np.isfinite(self.weights).all() or (self.weights < 0).any():
            bad = np.count_nonzero(~np.isfinite(self.weights) | (self.weights < 0))
            raise BadData(
                f"{bad:,} of {len(self.weights):,} weights are negative or not finite: check the propensities."
            )

    def __len__(self) -> int:
        """Logged rows."""
        return len(self.rewards)


@dataclass(frozen=True)
class Terms:
    """One estimator's parts, a row each."""

    base: F64  # [n]
    top: F64  # [n]
    bottom: F64  # [n]

    @property
    def value(self) -> float:
        """mean(base) + mean(top) / mean(bottom)."""
        bottom = self.bottom.mean()
        return float(self.base.mean() + (self.top.mean() / bottom if bottom else 0.0))

    @property
    def influence(self) -> F64:
        """What each row adds to value - truth, to first order; its mean is 0. [n]"""
        bottom = self.bottom.mean()
        if not bottom:
            return np.asarray(self.base - self.base.mean())
        ratio = self.top.mean() / bottom
        return np.asarray(self.base - self.base.mean() + (self.top - ratio * self.bottom) / bottom)


def terms(name: str, rounds: Rounds, *, switch: float | None = None) -> Terms:
    """One of NAMES -> its parts; `switch` is the hyperparameter of switch_dr and dros, chosen from SWITCHES where None."""
    if name not in NAMES:
        raise BadData(f"There is no estimator {name!r}; there are {', '.join(NAMES)}.")
    if name in HYPER:
        return HYPER[name](rounds, chosen(name, rounds) if switch is None else switch)
    return PLAIN[name](rounds)


def chosen(name: str, rounds: Rounds, *, rule: str = "slope", candidates: tuple[float, ...] = SWITCHES) -> float:
    """The hyperparameter by one of RULES.

    slope: from the least biased on, the last whose interval agrees with all before it (Su, Srinath and Krishnamurthy 2020,
    with the constant of Tucker and Lee 2021). bound: the least variance plus square of the bias, the bias taken at its upper
    bound (Su et al. 2020, section 5, rewards in 0..1); it cuts late.
    """
    if rule not in RULES:
        raise BadData(f"There is no rule {rule!r}; there are {', '.join(RULES)}.")
    return _by_slope(name, rounds, candidates) if rule == "slope" else _by_bound(name, rounds, candidates)


def _by_slope(name: str, rounds: Rounds, candidates: tuple[float, ...]) -> float:
    parts = [HYPER[name](rounds, switch) for switch in candidates]
    values = np.array([own.value for own in parts])
    n = len(rounds)
    if n < 2:
        return candidates[0]
    reach = float(student.ppf(1 - DELTA, n - 1)) / math.sqrt(n - 1)
    half = reach * np.array([float(np.std(own.base + own.top)) for own in parts])
    order = np.argsort(half)[::-1]  # the widest interval has the least bias
    for n_kept in range(1, len(order)):
        before, own = order[:n_kept], order[n_kept]
        if (np.abs(values[before] - values[own]) > half[own] + (math.sqrt(6) - 1) * half[before]).any():
            return candidates[int(before[-1])]
    return candidates[int(order[-1])]


def _by_bound(name: str, rounds: Rounds, candidates: tuple[float, ...]) -> float:
    weights, tail, n = rounds.weights, math.log(2 / DELTA), len(rounds)
    slack = math.sqrt(2 * float((weights**2).mean()) * tail / n) + 2 * float(weights.max()) * tail / (3 * n)

    def squared_error(switch: float) -> float:
        own = HYPER[name](rounds, switch)
        missing = weights - SHRUNK[name](weights, switch)
        bias = abs(float(np.mean(missing * (rounds.rewards - rounds.modelled)))) + slack
        return float(np.var(own.base + own.top)) / n + bias**2

    return min(candidates, key=squared_error)


def switched(weights: F64, switch: float) -> F64:
    """Weights above the threshold become 0."""
    return np.where(weights <= switch, weights, 0.0)


def shrunk(weights: F64, switch: float) -> F64:
    """lambda w / (w^2 + lambda); infinite lambda leaves w as it is."""
    return weights if np.isinf(switch) else switch * weights / (weights**2 + switch)


def _dm(rounds: Rounds) -> Terms:
    return Terms(rounds.direct, np.zeros(len(rounds)), np.ones(len(rounds)))


def _ipw(rounds: Rounds) -> Terms:
    return Terms(np.zeros(len(rounds)), rounds.weights * rounds.rewards, np.ones(len(rounds)))


def _snipw(rounds: Rounds) -> Terms:
    return Terms(np.zeros(len(rounds)), rounds.weights * rounds.rewards, rounds.weights)


def _dr(rounds: Rounds, weights: F64 | None = None) -> Terms:
    own = rounds.weights if weights is None else weights
    return Terms(rounds.expected, own * (rounds.rewards - rounds.modelled), np.ones(len(rounds)))


def _sndr(rounds: Rounds) -> Terms:
    return Terms(rounds.expected, rounds.weights * (rounds.rewards - rounds.modelled), rounds.weights)


def _switch_dr(rounds: Rounds, switch: float) -> Terms:
    return _dr(rounds, switched(rounds.weights, switch))


def _dros(rounds: Rounds, switch: float) -> Terms:
    return _dr(rounds, shrunk(rounds.weights, switch))


PLAIN: dict[str, Callable[[Rounds], Terms]] = {"dm": _dm, "ipw": _ipw, "snipw": _snipw, "dr": _dr, "sndr": _sndr}
HYPER: dict[str, Callable[[Rounds, float], Terms]] = {"switch_dr": _switch_dr, "dros": _dros}
SHRUNK: dict[str, Callable[[F64, float], F64]] = {"switch_dr": switched, "dros": shrunk}


def effective_rows(weights: F64) -> float:
    """(sum w)^2 / sum w^2: how many rows of the judged policy's own log the weighted log is worth (Kish 1965)."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0
