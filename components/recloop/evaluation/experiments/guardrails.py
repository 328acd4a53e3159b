"""Is a canary safe, harmful, or not known yet? Asked at every look, answered with one error rate over all of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recloop.config.experimenting import ExperimentsConfig
from recloop.evaluation.experiments.always_valid import interval, p_value
from recloop.evaluation.experiments.corrections import holm
from recloop.evaluation.experiments.limits import above
from recloop.evaluation.experiments.moments import Effect, difference, lift, linear, of
from recloop.evaluation.experiments.results import FEW, METRICS, active, values
from recloop.evaluation.experiments.sample_ratio import TRUST, sequential
from recloop.evaluation.experiments.tally import ANSWERS, EMPTY, FAILED, SLOW, Tally

F64 = NDArray[np.float64]
Fate = Literal["running", "promoted", "rolled_back"]
GUARDED = ("hits", "clicks", "purchases")
MANY = 100
"""users of each arm before empty answers are compared"""


@dataclass(frozen=True)
class Guardrail:
    """One thing that a canary must hold. harm: p-value of there being none; safe: within its margin.

    Rates are shown to be within it; shares of errors and of slow answers are so far.
    """

    name: str
    canary: float
    champion: float
    harm: float
    safe: bool


@dataclass(frozen=True)
class Judgement:
    """What to do with a canary, and why."""

    fate: Fate
    reason: str
    users: int
    guardrails: tuple[Guardrail, ...]


def judge(tally: Tally, config: ExperimentsConfig, *, share: float, champion: str, canary: str) -> Judgement:
    """Tally of both arms -> Judgement; `share` of the users were meant for the canary.

    Rolled back where harm is proven after Holm's correction, or the split is not the planned one; promoted where every
    guardrail that has data is shown to be within its margin (an intersection-union test needs no correction).
    """
    own, other = tally.users(canary), tally.users(champion)
    split = float(sequential(np.array([len(own), len(other)], float), np.array([share, 1 - share + 1e-12])))
    rails = (*_limits(own, other, config), *_rates(own, other, config))
    if split < TRUST and share < 1:
        reason = (
            f"{len(own):,} users were in the canary and {len(other):,} were not, where {share:.1%} were meant to be"
        )
        return Judgement("rolled_back", reason, len(own), rails)
    fair = holm(np.array([rail.harm for rail in rails]))
    proven = [f"{_told(rail)} (p = {p:.2g})" for rail, p in zip(rails, fair, strict=True) if p < config.alpha]
    if proven:
        return Judgement("rolled_back", "harm is proven in " + "; ".join(proven), len(own), rails)
    open_ = [rail.name for rail in rails if not rail.safe]
    if open_ or len(own) < config.min_users:
        reason = (
            f"not yet shown to be safe: {', '.join(open_) or 'all are'}; {len(own):,} of {config.min_users:,} users"
        )
        return Judgement("running", reason, len(own), rails)
    return Judgement("promoted", f"{len(own):,} users: " + "; ".join(map(_told, rails)), len(own), rails)


def _told(rail: Guardrail) -> str:
    return f"{rail.name} {rail.canary:.4g} against {rail.champion:.4g}"


def _limits(own: F64, other: F64, config: ExperimentsConfig) -> list[Guardrail]:
    """Errors and slow answers: shares of answers below a fixed limit."""
    answers = own[:, ANSWERS].sum()
    limits = {"errors": (FAILED, config.max_errors), "slow_answers": (SLOW, config.max_slow)}
    return [
        Guardrail(
            name,
            _share(own, column),
            _share(other, column),
            harm=float(above(own[:, column].sum(), answers, limit=limit)),
            safe=bool(answers > 0 and _share(own, column) <= limit),
        )
        for name, (column, limit) in limits.items()
    ]


def _rates(own: F64, other: F64, config: ExperimentsConfig) -> list[Guardrail]:
    """Empty answers, and what users did; a metric that nobody of the champion's ever moved has no say."""
    return [_empty(own, other, config)] + [
        _rate(metric, own, other, config) for metric in GUARDED if other[:, METRICS[metric][0]].any()
    ]


def _empty(own: F64, other: F64, config: ExperimentsConfig) -> Guardrail:
    shares = _share(own, EMPTY), _share(other, EMPTY)
    if min(len(own), len(other)) < MANY:
        return Guardrail("empty_answers", *shares, harm=1.0, safe=False)
    more = difference(*(of(linear(rows[:, EMPTY], rows[:, ANSWERS])) for rows in (own, other)))
    fewer = Effect(-np.asarray(more.value), more.variance)
    return _rail("empty_answers", *shares, fewer, margin=config.max_empty, alpha=config.alpha)


def _rate(metric: str, own: F64, other: F64, config: ExperimentsConfig) -> Guardrail:
    arms = [of(values(rows, metric)) for rows in (own, other)]
    means = float(arms[0].mean), float(arms[1].mean)
    if active(*(rows[:, METRICS[metric][0]] for rows in (own, other))) < FEW[metric]:
        return Guardrail(metric, *means, harm=1.0, safe=False)
    return _rail(metric, *means, lift(*arms), margin=config.margin, alpha=config.alpha)


def _rail(name: str, canary: float, champion: float, gain: Effect, *, margin: float, alpha: float) -> Guardrail:
    """gain: positive is good. Where nothing varied, the two must be equal."""
    if not np.asarray(gain.variance) > 0:
        return Guardrail(name, canary, champion, harm=1.0, safe=canary == champion)
    low, _ = interval(gain, tau=margin, alpha=alpha)
    harm = float(p_value(gain, tau=margin)) if gain.value < 0 else 1.0
    return Guardrail(name, canary, champion, harm=harm, safe=bool(low > -margin))


def _share(rows: F64, column: int) -> float:
    answers = rows[:, ANSWERS].sum()
    return float(rows[:, column].sum() / answers) if answers else 0.0
