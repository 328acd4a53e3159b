"""Section of the door: what is known of people before anything is stored."""

from typing import Literal

from pydantic import Field, model_validator

from recloop.config.section import Section

Optional = Literal["price", "quantity", "discount", "rating", "basket_id", "store_id"]


class PrivacyConfig(Section):
    """privacy: what of the events enters the store, and which groups are shown. The consent flag is data.consent."""

    pseudonymise: bool = False
    """user, basket and event ids become keyed hashes; the key is RECLOOP_PRIVACY_KEY of the environment"""
    raw_ids: bool = False
    """callers of the service send ids as the shop knows them and the service makes the pseudonyms; else they send these"""
    drop: tuple[Optional, ...] = ()
    """columns that no model of the scenario needs"""
    hours: int = Field(0, ge=0, le=24)
    """times are cut to this many hours; 0 leaves them"""
    price_step: float = Field(0.0, ge=0)
    """prices are rounded to multiples of it; 0 leaves them"""
    keep_days: dict[Literal["view", "click", "cart", "purchase", "rating"], float] = Field(default_factory=dict)
    """kind -> days after which its events are left out; a kind that is not named stays"""
    k: int = Field(0, ge=0)
    """groups of fewer users are withheld from scorecards, model cards and reports of feedback; 0 shows all"""

    @property
    def active(self) -> bool:
        """Anything is asked of events that enter; k asks of reports, raw_ids of the service alone."""
        return self.model_copy(update={"k": 0, "raw_ids": False}) != PrivacyConfig()

    @model_validator(mode="after")
    def _hashed_twice(self) -> "PrivacyConfig":
        if self.raw_ids and not self.pseudonymise:
            raise ValueError(
                "raw_ids is set and pseudonymise is not: the service would know people by ids that no history has"
            )
        return self

    @model_validator(mode="after")
    def _whole_days(self) -> "PrivacyConfig":
        if self.hours and 24 % self.hours:
            raise ValueError(f"hours is {self.hours}, which does not divide a day")
        return self
