"""How releases and policies are tried on real users."""

from pydantic import Field

from recloop.config.section import Section


class ExperimentsConfig(Section):
    """experiments: who is left out of them, and what a canary must hold."""

    holdout: float = Field(0.0, ge=0, lt=1)
    """share of users that no experiment and no canary ever touches"""
    canary: float = Field(0.0, ge=0, lt=1)
    """share of users on which each new release is tried first, once one serves; 0: the gate's word is enough"""
    alpha: float = Field(0.05, gt=0, lt=0.5)
    """chance that a canary is rolled back or promoted wrongly, over all its looks"""
    margin: float = Field(0.1, gt=0, lt=1)
    """relative loss of click, hit or purchase rate that a canary must be shown not to have"""
    max_errors: float = Field(0.005, gt=0, lt=1)
    """share of the canary's questions that it may fail; the champion answers those"""
    slow_ms: float = Field(100.0, gt=0)
    """an answer that took longer is slow"""
    max_slow: float = Field(0.01, gt=0, lt=1)
    """share of answers that may be slow: 0.01 says that the 99th percentile is at most slow_ms"""
    max_empty: float = Field(0.02, gt=0, lt=1)
    """how much larger the share of empty answers may be than the champion's"""
    min_users: int = Field(200, ge=30)
    """of the canary before it may be promoted; the intervals are those of many users"""
    max_hours: float = Field(168.0, gt=0)
    """a canary that was not shown to be safe by then is rolled back"""
    shadow_queue: int = Field(64, gt=0)
    """copied questions that may wait; more are left out and counted"""
