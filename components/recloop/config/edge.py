"""Section of the service's edge: who may ask, from where, how often, and what counts."""

from typing import Annotated

from pydantic import AfterValidator, Field

from recloop.config.section import Section

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""hosts that only this machine reaches"""


def _origin(value: str) -> str:
    if not value.startswith(("http://", "https://")) or value.count("/") != 2:
        raise ValueError(f"is {value!r}: an origin is scheme, host and port alone, such as https://shop.example")
    return value


Origin = Annotated[str, AfterValidator(_origin)]


class AbuseConfig(Section):
    """What of the events is taken for noise: kept in the journal, flagged, and left out of what models learn."""

    events_per_minute: int = Field(600, gt=0)
    """more events than this of one user in one minute are a bot's"""
    events_per_day: int = Field(5_000, gt=0)
    """and more than this in one day"""
    same_item_per_day: int = Field(10, gt=0)
    """further events of one kind with one item are repeats that day; within a minute the second one is"""
    repeats_per_day: int = Field(20, gt=0)
    """a user who repeats himself more often than this in a day is a bot"""
    users_per_address: int = Field(5, gt=0)
    """shoppers who may share the address of a page's key: what is allowed to it is that many times a user's"""
    quarantine_hours: float = Field(24.0, gt=0)
    """for this long all events of a bot are flagged"""
    watched: int = Field(100_000, gt=0)
    """users and addresses watched at once; the one heard of least lately is forgotten first"""


class EdgeConfig(Section):
    """recommendations: the service's edge."""

    read_needs_key: bool = False
    """recommendations ask for a key with the scope read"""
    origins: tuple[Origin, ...] = ()
    """pages of these origins may call the service from a browser (CORS)"""
    requests_per_minute: int = Field(600_000, gt=0)
    """of one key; a key may have a limit of its own. A service without keys, which only its own machine reaches, has none"""
    address_requests_per_minute: int = Field(6_000, gt=0)
    """of one address without a key, or with a page's"""
    burst: int = Field(1_000, gt=0)
    """requests that may come at once"""
    clients: int = Field(100_000, gt=0)
    """keys and addresses watched at once"""
    body_seconds: float = Field(10.0, gt=0)
    """a request whose head or body takes longer to arrive is ended"""
    connections: int = Field(4_000, gt=0)
    """open connections; more are answered with 503"""
    abuse: AbuseConfig = AbuseConfig()
