"""The gate: a challenger is released only where it is proved better. An undecidable comparison is a refusal."""

from dataclasses import dataclass

import numpy as np

from recloop.config import GateConfig
from recloop.evaluation.intervals import Estimate
from recloop.evaluation.scorecard import CHAMPION, DAYS_SEEN, MODEL, Scorecard


@dataclass(frozen=True)
class Cost:
    """What a release costs to serve."""

    latency_ms: float
    """median of one recommendation, through HTTP, in the copy of the server"""
    megabytes: float
    """size of the bundle"""


@dataclass(frozen=True)
class Decision:
    """Whether to release, and every reason as a full sentence with its numbers."""

    release: bool
    reasons: tuple[str, ...]
    """why it was refused; where it was not, what it beat"""


def judge(card: Scorecard, config: GateConfig, *, baselines: tuple[str, ...], cost: Cost) -> Decision:
    """Scorecard, limits -> Decision. Baselines that the scorecard lacks are refusals, never passed over."""
    refusals = [*_other_metric(card, config), *_enough(card, config), *_saw_the_test(card), *_leaks(card, config)]
    for name in baselines:
        refusals += [r for view in config.views for r in _beats(card, config, name, view)]
    if CHAMPION in card.models:
        refusals += [r for view in config.champion_views for r in _beats(card, config, CHAMPION, view)]
        others = [view for view in config.views if view not in config.champion_views]
        refusals += [
            r for view in others for r in _not_worse(card, config, view, _difference(card, CHAMPION, view), view)
        ]
    refusals += _slice_losses(card, config)
    refusals += _too_costly(cost, config)
    if refusals:
        return Decision(False, tuple(refusals))
    return Decision(True, tuple(_praise(card, config, name) for name in card.differences))


def _difference(card: Scorecard, rival: str, view: str) -> Estimate | None:
    return card.differences.get(rival, {}).get(view)


def _other_metric(card: Scorecard, config: GateConfig) -> list[str]:
    if card.metric == config.metric:
        return []
    return [
        f"The scorecard's differences are of {card.metric or 'a metric that it does not name'}, and the gate asks for "
        f"{config.metric} (gate.metric): evaluate again."
    ]


def _enough(card: Scorecard, config: GateConfig) -> list[str]:
    if card.users >= config.min_users:
        return []
    return [f"Only {card.users} users were evaluated; the gate asks for {config.min_users} (gate.min_users)."]


def _beats(card: Scorecard, config: GateConfig, rival: str, view: str) -> list[str]:
    """The lower bound of the paired difference must be above zero."""
    found = _difference(card, rival, view)
    if found is None or not np.isfinite(found.low) or found.n < config.min_users:
        if _enough(card, config):
            return []  # said once, for every comparison
        n = 0 if found is None else found.n
        return [f"Against {rival} on {view} purchases nothing can be decided: {n} users have a value."]
    if found.low > 0:
        return []
    verb = "is worse than" if found.high < 0 else "is not proved better than"
    return [
        f"The model {verb} {rival} on {view} purchases: {config.metric} {found.value:+.4f}, interval "
        f"[{found.low:+.4f}, {found.high:+.4f}], {found.n} users; the lower bound must be above zero."
    ]


def _not_worse(card: Scorecard, config: GateConfig, where: str, found: Estimate | None, view: str) -> list[str]:
    """The upper bound of what the model may have lost: proved worse by more than allowed is a refusal."""
    if found is None or not np.isfinite(found.value):
        return [f"On {where} the model cannot be compared with the champion: no user has a value."]
    before = card.models[CHAMPION][view][config.metric].value
    if found.low >= -config.max_slice_loss * before:
        return []
    return [
        f"On {where} purchases the model may lose {-found.low / max(before, 1e-9):.1%} of the champion's {config.metric}: "
        f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]; {config.max_slice_loss:.0%} is allowed."
    ]


def _slice_losses(card: Scorecard, config: GateConfig) -> list[str]:
    """On a slice the model may not be proved worse by more than allowed.

    Slices of users are compared with every rival. On slices of items only the champion counts: ten places are given
    away, so a baseline that shows nothing but produce is better on produce, and that is no reason.
    """
    refusals = []
    for name, estimates in sorted(card.slices.items()):
        own = estimates[MODEL]
        rivals = {r: e for r, e in estimates.items() if r != MODEL and e.n >= config.min_slice_users}
        if name in card.item_slices:
            rivals = {r: e for r, e in rivals.items() if r == CHAMPION}
        for rival, found in sorted(rivals.items()):
            level = own.value - found.value
            if found.high < -config.max_slice_loss * level:
                refusals.append(
                    f"On the slice {name} the model is worse than {rival}: {config.metric} {found.value:+.4f} "
                    f"[{found.low:+.4f}, {found.high:+.4f}] from {level:.4f}, {found.n} users; "
                    f"{config.max_slice_loss:.0%} is allowed (gate.max_slice_loss)."
                )
    return refusals


def _saw_the_test(card: Scorecard) -> list[str]:
    """What no figure can tell from a good model: statistics that are as of a later moment than the test's start."""
    days = card.facts.get(DAYS_SEEN)
    if days is None:
        return [f"The scorecard does not say up to when the model learnt ({DAYS_SEEN}); fit it again and evaluate."]
    if days <= 0:
        return []
    return [f"The model learnt from {days:.1f} days of the test window: a leak of the answers. Fit it on this dataset."]


def _leaks(card: Scorecard, config: GateConfig) -> list[str]:
    """Too good to be true: a value above the ceiling, a ratio to the best baseline, or many perfect lists.

    An honest gain grows out of what some source already knows, so that it stays within a ratio of the best baseline. A model
    that saw the answers of some users only has an unsuspicious mean, but for those users its lists are perfect. A leak that
    touches fewer users than `leak_share` above the best baseline's share of perfect lists cannot be told from luck here.
    """
    baselines = [views for name, views in card.models.items() if name not in (MODEL, CHAMPION)]
    refusals = []
    for view in ("all", "new"):
        own, best = card.models[MODEL][view], _best(baselines, view, config.metric)
        value, perfect = own[config.metric], own["perfect"]
        if value.value > config.leak_ceiling:
            refusals.append(
                f"{config.metric} {value.value:.3f} on {view} purchases is above {config.leak_ceiling} (gate.leak_ceiling): "
                "no honest model is that good; look for a leak of test events into what it learnt from."
            )
        if best > 0 and value.low > config.leak_ratio * best:
            refusals.append(
                f"{config.metric} {value.value:.3f} on {view} purchases is {value.value / best:.1f} times the best baseline's "
                f"{best:.3f}; above {config.leak_ratio} (gate.leak_ratio) it is taken for a leak of the answers."
            )
        usual = _best(baselines, view, "perfect")
        if perfect.low > usual + config.leak_share:
            refusals.append(
                f"{perfect.value:.1%} of users get a perfect list of {view} purchases, {usual:.1%} from the best baseline; more "
                f"than {config.leak_share:.0%} beyond it (gate.leak_share) is taken for a leak of the answers of some users."
            )
    return refusals


def _best(baselines: list[dict[str, dict[str, Estimate]]], view: str, metric: str) -> float:
    return max((views[view][metric].value for views in baselines), default=0.0)


def _too_costly(cost: Cost, config: GateConfig) -> list[str]:
    """A cost that is not a number is above every limit."""
    refusals = []
    if not cost.latency_ms <= config.max_latency_ms:
        refusals.append(
            f"One recommendation takes {cost.latency_ms:.1f} ms in the copy of the server; "
            f"{config.max_latency_ms:.0f} ms are allowed (gate.max_latency_ms)."
        )
    if not cost.megabytes <= config.max_megabytes:
        refusals.append(
            f"The bundle has {cost.megabytes:.0f} MB; {config.max_megabytes:.0f} MB are allowed (gate.max_megabytes)."
        )
    return refusals


def _praise(card: Scorecard, config: GateConfig, rival: str) -> str:
    parts = [f"{view} {d.value:+.4f} [{d.low:+.4f}, {d.high:+.4f}]" for view, d in card.differences[rival].items()]
    return f"Beats {rival} by {config.metric}: {', '.join(parts)}, {card.users} users."
