"""Tally of an experiment -> what each variant did to each metric, at a moment that nobody had to plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recloop.evaluation.experiments.always_valid import Verdict, interval, p_value, verdict
from recloop.evaluation.experiments.corrections import holm
from recloop.evaluation.experiments.cuped import adjusted
from recloop.evaluation.experiments.design import Design
from recloop.evaluation.experiments.moments import Effect, lift, linear, of
from recloop.evaluation.experiments.sample_ratio import sequential
from recloop.evaluation.experiments.tally import ANSWERS, CLICKS, HITS, PREFERENCE, PURCHASES, REVENUE, Tally

F64 = NDArray[np.float64]
METRICS: dict[str, tuple[int, int | None]] = {
    "hits": (HITS, ANSWERS),
    "clicks": (CLICKS, ANSWERS),
    "purchases": (PURCHASES, None),
    "revenue": (REVENUE, None),
}
"""name -> column on top, and the one below; None: a user"""
FEW = {"hits": 40, "clicks": 40, "purchases": 40, "revenue": 300}
"""users of an arm who did something, below which nothing is said: the intervals are those of many, and few spend much"""


@dataclass(frozen=True)
class Comparison:
    """One variant against the control in one metric; low and high hold at every look."""

    variant: str
    metric: str
    users: int
    control_users: int
    value: float
    control: float
    lift: float
    low: float
    high: float
    p_value: float
    """corrected (Holm): those of the deciding metric for its variants, those of the others for all that have data"""
    explained: float
    """share of the variance that the users' past explained (CUPED)"""
    verdict: Verdict


@dataclass(frozen=True)
class Results:
    """What an experiment shows. sample_ratio: always-valid p-value of the split being as planned."""

    name: str
    metric: str
    users: dict[str, int]
    sample_ratio: float
    comparisons: tuple[Comparison, ...]


def results(tally: Tally, design: Design, *, before: Mapping[str, float] | None = None) -> Results:
    """Tally -> Results. before: what each user bought before the experiment, for CUPED; a user it lacks bought nothing."""
    users = {variant.name: len(tally.names(variant.name)) for variant in design.variants}
    counts, shares = np.array([*users.values()], float), np.array([v.share for v in design.variants])
    found = [
        _compared(tally, design, variant.name, metric, before or {})
        for variant in design.variants[1:]
        for metric in METRICS
    ]
    found += [_preferred(tally, design, variant.name) for variant in design.variants if variant.interleave]
    corrected = _corrected(found, design.metric)
    return Results(design.name, design.metric, users, float(sequential(counts, shares)), corrected)


def active(*columns: F64) -> float:
    """Sums of the users of each arm -> users of the smallest arm who would have one, at the rate of all arms together."""
    users = np.array([len(column) for column in columns])
    return float(users.min() * sum(map(np.count_nonzero, columns)) / max(users.sum(), 1))


def values(rows: F64, metric: str) -> F64:
    """Rows of a tally -> one value a user, whose mean is the metric. [users, columns] -> [users]"""
    top, bottom = METRICS[metric]
    return rows[:, top] if bottom is None else linear(rows[:, top], rows[:, bottom])


def _compared(tally: Tally, design: Design, variant: str, metric: str, before: Mapping[str, float]) -> Comparison:
    arms = (variant, design.variants[0].name)
    rows = [tally.users(arm) for arm in arms]
    parts = [values(own, metric) for own in rows]
    past = np.array([before.get(user, 0.0) for arm in arms for user in tally.names(arm)])
    better, explained = adjusted(np.concatenate(parts), past)
    treated, control = (of(part) for part in np.split(better, [len(parts[0])]))
    enough = active(*(own[:, METRICS[metric][0]] for own in rows)) >= FEW[metric]
    effect = lift(treated, control) if enough else lift(of(np.zeros(1)), of(np.zeros(1)))
    low, high = (float(bound) for bound in interval(effect, tau=design.effect, alpha=design.alpha_each))
    return Comparison(
        variant=variant,
        metric=metric,
        users=len(parts[0]),
        control_users=len(parts[1]),
        value=float(treated.mean),
        control=float(control.mean),
        lift=float(effect.value),
        low=low,
        high=high,
        p_value=float(p_value(effect, tau=design.effect)),
        explained=explained,
        verdict=verdict(low, high, smallest=design.effect),
    )


def _preferred(tally: Tally, design: Design, variant: str) -> Comparison:
    """Hits that the other release put into interleaved lists less those of what serves, over both: 0 is a draw, 1 all."""
    rows = tally.users(variant)
    own = of(
        linear(rows[:, PREFERENCE], rows[:, HITS]) if np.count_nonzero(rows[:, HITS]) >= FEW["hits"] else np.zeros(1)
    )
    effect = Effect(own.mean, own.variance / own.n)
    low, high = (float(bound) for bound in interval(effect, tau=design.effect, alpha=design.alpha_each))
    return Comparison(
        variant=variant,
        metric="preference",
        users=len(rows),
        control_users=len(rows),
        value=float(own.mean),
        control=0.0,
        lift=float(own.mean),
        low=low,
        high=high,
        p_value=float(p_value(effect, tau=design.effect)),
        explained=0.0,
        verdict=verdict(low, high, smallest=design.effect),
    )


def _corrected(found: list[Comparison], metric: str) -> tuple[Comparison, ...]:
    """P-values corrected over the comparisons that have data: what decides was named before, and stands for itself."""
    fair = np.ones(len(found))
    for deciding in (True, False):
        told = [n for n, one in enumerate(found) if np.isfinite(one.low) and (one.metric == metric) == deciding]
        fair[told] = holm(np.array([found[n].p_value for n in told]))
    return tuple(replace(one, p_value=float(p)) for one, p in zip(found, fair, strict=True))
