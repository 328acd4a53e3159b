"""What a source promises, and who is told when it does not keep it."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from recloop.columns import EVENT_COLUMNS, ITEM_COLUMNS
from recloop.config.section import Section

Share = Annotated[float, Field(gt=0, le=1)]


def _columns(known: tuple[str, ...]) -> AfterValidator:
    def of_the_table(shares: dict[str, float]) -> dict[str, float]:
        lost = [name for name in shares if name not in known]
        if lost:
            raise ValueError(f"{lost[0]!r} is none of {', '.join(known)}")
        return shares

    return AfterValidator(of_the_table)


class ContractConfig(Section):
    """data.contract: judged at every check, on the rows that are good."""

    owner: str = ""
    """who answers for the source; named in every breach"""
    fresh_hours: float | None = Field(None, gt=0)
    """the newest event is no older than this at the check"""
    filled: Annotated[dict[str, Share], _columns(EVENT_COLUMNS)] = Field(default_factory=dict)
    """event column -> least share of the newest days' events that fill it"""
    items_filled: Annotated[dict[str, Share], _columns(ITEM_COLUMNS)] = Field(default_factory=dict)
    """item column -> least share of the catalogue that fills it"""
    least_a_day: int | None = Field(None, gt=0)
    """events on each of the newest days (UTC); the last one, which may be under way, is not judged"""
    days: int = Field(7, gt=0)
    """newest days of the data that are looked at"""
    act: Literal["warn", "stop"] = "warn"
    """stop: a breach fails the check, so that what serves goes on serving"""


def _server(url: str) -> str:
    if not re.match(r"smtps?://.|\$\{\w+\}$", url):
        raise ValueError("must be smtp://host:port, smtps://host:port or ${NAME} of the environment")
    found = re.match(r"[^:/]+://[^/@]*:([^@/]+)@", url)
    if found and not re.fullmatch(r"\$\{\w+\}", found[1]):
        raise ValueError("holds a password. Put it into the environment and write ${ITS_NAME} instead")
    return url


class NotifyConfig(Section):
    """notify: who hears of a breach of the contract and of a task that failed for good."""

    webhook: str = ""
    """URL that gets JSON by POST (`text` is what Slack, Mattermost and Teams show); ${NAME} comes from the environment"""
    email: tuple[str, ...] = ()
    """addresses"""
    sender: str = "recloop@localhost"
    smtp: Annotated[str, AfterValidator(_server)] = "smtp://localhost:25"
    """smtp:// (STARTTLS where the server offers it) or smtps://, as smtps://user:${PASSWORD}@host:465"""
