"""What online metrics and the release's facts say about training again: a decision with its reasons."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from recloop.columns import Columns
from recloop.config import FeedbackConfig
from recloop.feedback.online_metrics import Decay, Online


@dataclass(frozen=True)
class ReleaseFacts:
    """What is known of the release that serves."""

    release: str
    learnt_until: datetime
    """the model saw no event at or after this moment"""
    new_events: int
    """events since then"""
    new_item_share: float | None
    """share of recent purchases of items that it cannot recommend (`new_item_share`); None: no purchase"""
    drift: float | None
    """largest population stability index of the watched distributions; None: not measured"""
    moved: tuple[str, ...] | None = None
    """what it recommends beyond the limits of its own season, in words; None: fewer than 28 days to learn them from"""


@dataclass(frozen=True)
class Check:
    """One question that was asked, and whether its answer calls for training."""

    name: str
    calls: bool
    sentence: str


@dataclass(frozen=True)
class Decision:
    """Train again or not; `reasons` are the sentences that decided, `checks` everything that was asked."""

    retrain: bool
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]

    def save(self, path: Path) -> None:
        """Write decision.json."""
        path.write_text(json.dumps(asdict(self), sort_keys=True, indent=1))


def decide(online: Online, facts: ReleaseFacts, config: FeedbackConfig, *, now: datetime) -> Decision:
    """Online metrics and the serving release's facts -> Decision.

    Any check may call for training; too few new events overrule all of them.
    """
    checks = (
        _age(facts, config, now),
        _decay(online, facts, config),
        _new_items(facts, config),
        _drift(facts, config),
        _recommended(facts),
    )
    calls = tuple(c.sentence for c in checks if c.calls)
    enough = _enough(facts, config)
    if not enough.calls:
        return Decision(False, (enough.sentence,), (*checks, enough))
    return Decision(bool(calls), calls or tuple(c.sentence for c in checks), (*checks, enough))


def new_item_share(events: pl.DataFrame, known: pl.Series) -> float | None:
    """Canonical events and the ids a release can recommend -> share of purchases of other items; None: no purchase."""
    bought = events.filter(pl.col(Columns.Event) == "purchase")
    if bought.is_empty():
        return None
    return 1.0 - bought.join(known.unique().to_frame(Columns.Item), on=Columns.Item, how="semi").height / bought.height


def _age(facts: ReleaseFacts, config: FeedbackConfig, now: datetime) -> Check:
    days = (now - facts.learnt_until).total_seconds() / 86_400
    old = days > config.max_age_days
    verb = "older than" if old else "within"
    return Check(
        "age",
        old,
        f"The release has learnt from nothing for {days:.1f} days, {verb} the {config.max_age_days:g} allowed.",
    )


def _decay(online: Online, facts: ReleaseFacts, config: FeedbackConfig) -> Check:
    found = next((d for d in online.decay if d.release == facts.release), None)
    if found is None:
        return Check(
            "decay",
            False,
            f"Decay cannot be judged: the release has not answered for {2 * config.compare_days:g} days yet.",
        )
    fewest = min(found.young_answers, found.old_answers)
    if fewest < config.min_answers:
        return Check(
            "decay",
            False,
            f"Decay cannot be judged: {fewest:,} answers on one side, {config.min_answers:,} are needed on both.",
        )
    return _judged(found, config)


def _judged(found: Decay, config: FeedbackConfig) -> Check:
    lost = found.change < -config.max_decay and found.high < 0
    facts = (
        f"The hit rate went from {found.young:.4f} in the release's first {config.compare_days:g} days to "
        f"{found.old:.4f} in its last, that of habit from {found.control_young:.4f} to {found.control_old:.4f}: "
        f"a net change of {found.change:+.1%} ({config.confidence:.0%} interval {found.low:+.1%} to {found.high:+.1%})"
    )
    if lost:
        return Check("decay", True, f"{facts}, more than the {config.max_decay:.1%} loss allowed.")
    reason = "within the loss allowed" if found.change >= -config.max_decay else "a loss that its interval leaves open"
    return Check("decay", False, f"{facts}, {reason} ({config.max_decay:.1%}).")


def _new_items(facts: ReleaseFacts, config: FeedbackConfig) -> Check:
    if facts.new_item_share is None:
        return Check("new_items", False, "The share of new items cannot be judged: there was no purchase.")
    many = facts.new_item_share > config.max_new_item_share
    sentence = (
        f"{facts.new_item_share:.1%} of purchases are of items that the release cannot recommend, "
        f"{'more than' if many else 'within'} the {config.max_new_item_share:.1%} allowed."
    )
    return Check("new_items", many, sentence)


def _drift(facts: ReleaseFacts, config: FeedbackConfig) -> Check:
    if facts.drift is None:
        return Check("drift", False, "Drift was not measured.")
    far = facts.drift > config.max_drift
    sentence = (
        f"The largest population stability index is {facts.drift:.3f}, "
        f"{'more than' if far else 'within'} the {config.max_drift:g} allowed."
    )
    return Check("drift", far, sentence)


def _recommended(facts: ReleaseFacts) -> Check:
    if facts.moved is None:
        return Check(
            "recommended", False, "What is recommended cannot be judged: the release has answered for too few days."
        )
    if not facts.moved:
        return Check("recommended", False, "What is recommended stays within the limits of its own season.")
    return Check("recommended", True, f"What is recommended has moved: {'; '.join(facts.moved)}.")


def _enough(facts: ReleaseFacts, config: FeedbackConfig) -> Check:
    enough = facts.new_events >= config.min_new_events
    sentence = (
        f"{facts.new_events:,} events came since the release learnt, "
        f"{'enough' if enough else 'too few'} to learn from ({config.min_new_events:,} are needed)."
    )
    return Check("enough", enough, sentence)
