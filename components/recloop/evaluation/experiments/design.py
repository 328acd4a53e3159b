"""What an experiment is before it starts, and while it runs."""

from collections import Counter
from typing import Literal

from pydantic import Field, model_validator

from recloop.config.section import Section
from recloop.errors import BadRequest

Metric = Literal["hits", "clicks", "purchases", "revenue", "preference"]
NAME = r"^[a-z0-9][a-z0-9_.-]{0,60}$"
HOLDOUT = "holdout"
CANARIES = "rollouts"
"""the layer of releases on their way"""


class Variant(Section):
    """One of the things that are compared. Without policy and release it is what serves anyway."""

    name: str = Field(pattern=NAME)
    share: float = Field(1.0, gt=0)
    """of the experiment's users, relative to the other variants' shares"""
    policy: str = ""
    """how places are drawn from the release's ranking: epsilon_greedy=0.1, softmax=0.5, ..."""
    release: str = ""
    """URI of another release"""
    interleave: bool = False
    """its users get one list drafted by what serves and by `release`, and choose between the two in every answer"""

    @model_validator(mode="after")
    def _two_rankings(self) -> "Variant":
        if self.interleave and (not self.release or self.policy):
            raise ValueError("a variant that interleaves names the other release, and no policy")
        return self


class Design(Section):
    """The first variant is the control; the metric and the effect are named before the first user comes."""

    name: str = Field(pattern=NAME)
    variants: tuple[Variant, ...] = Field(min_length=2, max_length=10)
    layer: str = Field("default", pattern=NAME)
    """experiments of one layer share no user; those of two layers cross"""
    allocation: float = Field(1.0, gt=0, le=1)
    """share of the layer's users that take part"""
    metric: Metric = "hits"
    """what decides; the others are shown beside it, corrected"""
    effect: float = Field(0.05, gt=0, le=10)
    """the smallest relative effect of interest"""
    alpha: float = Field(0.05, gt=0, lt=0.5)

    @property
    def alpha_each(self) -> float:
        """Error rate of one variant's interval, so that all of a metric hold together (Bonferroni)."""
        return self.alpha / (len(self.variants) - 1)

    @model_validator(mode="after")
    def _names(self) -> "Design":
        twice = [name for name, n in Counter(v.name for v in self.variants).items() if n > 1]
        if twice:
            raise ValueError(f"two variants are called {twice[0]}")
        if self.layer == HOLDOUT:
            raise ValueError(f"the layer {HOLDOUT} is the group that no experiment touches; name another")
        if self.metric == "preference" and not any(v.interleave for v in self.variants):
            raise ValueError("preference is the metric of variants that interleave, and there is none")
        return self


class Running(Section):
    """A design with its part of the layer, from its start on."""

    design: Design
    part: tuple[float, float]
    """of the layer, [from, to)"""
    since: float
    """seconds since the epoch"""
    until: float | None = None
    """when it was stopped; None while it runs"""

    @property
    def salt(self) -> str:
        """Run again under its name, it draws its users anew."""
        return f"{self.design.name}@{self.since:.3f}"


def room(design: Design, others: tuple[Running, ...]) -> tuple[float, float]:
    """The first free part of the design's layer that is wide enough. Raises BadRequest naming who holds the layer."""
    held = sorted(r.part for r in others if r.until is None and r.design.layer == design.layer)
    low = 0.0
    for start, end in [*held, (1.0, 1.0)]:
        if start - low >= design.allocation - 1e-9:
            return low, low + design.allocation
        low = end
    names = ", ".join(f"{r.design.name} ({r.design.allocation:.0%})" for r in others if r.until is None)
    raise BadRequest(
        f"The layer {design.layer} has no free part of {design.allocation:.0%}; it is held by {names}. Stop one, ask for "
        "a smaller allocation, or name another layer.",
        field="allocation",
    )
