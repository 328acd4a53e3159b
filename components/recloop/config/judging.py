"""Sections of evaluation, gate, serving and feedback."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from recloop.config.section import Section


def _some(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError("is empty: a model would be compared with nothing and pass")
    return names


_SOME = AfterValidator(_some)

Baseline = Literal["popularity", "frequency", "frequency_decayed", "item_knn"]
View = Literal["all", "new"]
"""all purchases, or those of items that are new to their user"""


class EvaluationConfig(Section):
    """scorecard: how models are compared."""

    k: int = Field(10, gt=0)
    bootstrap: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
    baselines: Annotated[tuple[Baseline, ...], _SOME] = get_args(Baseline)
    """rivals that the gate asks a model to beat"""


class GateConfig(Section):
    """When a challenger may be released."""

    metric: Literal["ndcg", "recall", "precision", "mrr", "hit_rate", "map", "spend_share"] = "ndcg"
    views: Annotated[tuple[View, ...], _SOME] = ("all", "new")
    """what must beat every baseline"""
    champion_views: tuple[View, ...] = ("all",)
    """what must beat the champion; on the rest it may not be worse than `max_slice_loss`"""
    max_slice_loss: float = Field(0.05, ge=0)
    """relative loss that is allowed: on a slice, where more is proved; on a view of the champion, where more is possible"""
    min_users: int = Field(100, gt=0)
    min_slice_users: int = Field(50, gt=0)
    leak_ceiling: float = Field(0.9, gt=0, le=1)
    """a metric above this is taken for a leak of the answers"""
    leak_ratio: float = Field(2.5, gt=1)
    """a metric above this many times the best baseline's is taken for a leak too"""
    leak_share: float = Field(0.1, gt=0, lt=1)
    """share of users with a perfect list, beyond the best baseline's, that is taken for a leak too"""
    max_latency_ms: float = Field(50.0, gt=0)
    """median of one recommendation"""
    max_megabytes: float = Field(500.0, gt=0)


class ServingConfig(Section):
    """recommendations: the HTTP service."""

    k: int = Field(10, gt=0)
    max_k: int = Field(200, gt=0)
    segment_events: int = Field(50_000, gt=0)
    """events after which a journal segment is sealed"""
    segment_seconds: float = Field(3600.0, gt=0)
    keep_days: float = Field(30.0, ge=0)
    """days that a journal segment stays on this machine after the store has it; longer, while it is needed here"""
    batch: int = Field(32, gt=0)
    """questions that one call of the model answers at most"""
    queue: int = Field(96, gt=0)
    """questions that may wait for the model; more are refused with 503"""
    patience_seconds: float = Field(1.0, gt=0)
    """a question that waited longer is refused with 503"""


class FeedbackConfig(Section):
    """feedback: what is learnt from answers."""

    attribution_hours: float = Field(24.0, gt=0)
    """a purchase belongs to an answer at most this much older"""
    max_age_days: float = Field(56.0, gt=0)
    """a model that learnt nothing for longer is trained again; the days held out for its test count"""
    max_decay: float = Field(0.05, gt=0)
    """relative loss of online hit rate, net of the season, that calls for training"""
    compare_days: float = Field(14.0, gt=0)
    """decay compares a release's first days with its last; both are this long"""
    max_new_item_share: float = Field(0.15, gt=0, le=1)
    """share of recent purchases of items that the release cannot recommend"""
    max_drift: float = Field(0.25, gt=0)
    """population stability index of any watched distribution"""
    min_answers: int = Field(500, gt=0)
    """answers on either side of a comparison"""
    min_new_events: int = Field(1_000, ge=0)
    """fewer events than this since the release teach nothing: no training whatever the reason"""
    bootstrap: int = Field(1000, ge=100)
    confidence: float = Field(0.95, gt=0.5, lt=1)
