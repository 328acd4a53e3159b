"""The pack: every check of the watch, the faults that it is for, and what to do about a finding."""

from dataclasses import dataclass
from typing import Literal

from recloop.columns import REASONS

Side = Literal["high", "low", "both"]


@dataclass(frozen=True)
class Check:
    """One figure of a day that is judged against its history."""

    name: str
    side: Side
    floor: float
    """no change smaller than this is a finding, in the figure's unit (logarithm where `log`)"""
    cause: str
    remedy: str
    log: bool = False
    """judged by ratio"""
    seasonal: bool = False
    """not judged on the days of quality.watch.calendar"""
    stops: bool = True
    """a finding fails the check where quality.watch.act is stop; without, it is reported: rows lack, and none is wrong"""


def _share(
    name: str, side: Side, floor: float, cause: str, remedy: str, *, seasonal: bool = False, stops: bool = True
) -> Check:
    return Check(name, side, floor, cause, remedy, seasonal=seasonal, stops=stops)


AGAIN = "Load the day again from its source, or let it pass with `recloop quarantine readmit`."
VOLUME = (
    Check("rows", "both", 0.3, "a partial, repeated or foreign delivery", AGAIN, log=True, seasonal=True),
    Check("users", "both", 0.2, "a lost or doubled share of the customers", AGAIN, log=True, seasonal=True),
    Check(
        "rows_per_user",
        "both",
        0.2,
        "users merged or split, or rows lost inside baskets",
        AGAIN,
        log=True,
        seasonal=True,
    ),
    _share(
        "last",
        "low",
        1.5,
        "the day ends early: the export was cut",
        "Wait for the rest of the day and load it again.",
        seasonal=True,
    ),
    _share(
        "outage",
        "high",
        12.0,
        "an outage: nobody came for as long as so many visits take",
        "Fetch the missing stretch from the source.",
        seasonal=True,
    ),
    _share(
        "quiet",
        "high",
        6.0,
        "an outage: hours without the usual events",
        "Fetch the missing hours from the source.",
        seasonal=True,
    ),
)
PEOPLE = (
    Check(
        "busiest_user",
        "high",
        1.0,
        "a bot, a test account or a default user id",
        "Exclude the user at the source.",
        log=True,
    ),
    Check(
        "busiest_moments",
        "high",
        1.2,
        "a script: one user at more moments of the day than people manage",
        "Exclude the user at the source.",
        log=True,
    ),
    _share(
        "busiest_ten",
        "high",
        0.04,
        "a few accounts make the traffic",
        "Look at the ten busiest users of the day.",
        seasonal=True,
    ),
    _share(
        "new_user_id",
        "high",
        0.02,
        "user ids changed their form, or invented users",
        "Compare the ids with those of the day before.",
    ),
    _share(
        "new_item_id",
        "high",
        0.03,
        "item ids changed their form, or a catalogue was loaded twice",
        "Compare the ids with the catalogue.",
    ),
    _share(
        "odd_user_id",
        "high",
        0.002,
        "user ids of a form never seen: encoding, padding or another system",
        "Mend the export's id column.",
    ),
    _share(
        "odd_item_id",
        "high",
        0.002,
        "item ids of a form never seen: encoding, padding or another system",
        "Mend the export's id column.",
    ),
    _share(
        "strangers",
        "high",
        0.06,
        "user ids given to others: people come to shops in which they never were",
        "Check the join that gives the ids.",
        seasonal=True,
    ),
    _share(
        "repeats",
        "both",
        0.06,
        "ids given to others: people no longer take what they took",
        "Check the join that gives the ids.",
        seasonal=True,
    ),
)
COPIES = (
    _share(
        "doubled",
        "high",
        0.004,
        "impressions or rows delivered twice under new ids",
        "Remove the copies, or send stable event ids.",
    ),
    _share(
        "replayed", "high", 0.01, "events of an earlier day delivered again under a new date", "Load the right day."
    ),
)
MONEY = (
    _share("price_level", "both", 0.03, "another currency, or prices with tax", "Convert the prices of the day."),
    _share(
        "price_jumps",
        "high",
        0.012,
        "some prices in another unit or currency, or of other items",
        "Compare the prices with the day before.",
    ),
    _share(
        "price_by_store",
        "high",
        1.3,
        "one shop sends another currency or price list",
        "Compare the shop's prices with the day before.",
    ),
    _share("free", "high", 0.01, "prices lost and read as zero", "Load the price column again."),
    _share("discounted", "both", 0.1, "discounts lost, or another sign", "Load the discount column again."),
    _share("quantity", "both", 0.07, "quantities in another unit", "Load the quantity column again."),
)
MIX = (
    _share(
        "hour_mix",
        "high",
        0.06,
        "times in another zone, or a share of the clocks wrong",
        "Check the time zone of the export.",
        seasonal=True,
    ),
    _share(
        "hour_shift",
        "high",
        19.0,
        "the day's times lie in another zone",
        "Set data.timezone, or mend the clock.",
        seasonal=True,
    ),
    _share(
        "store_mix",
        "high",
        0.08,
        "rows of a shop lost, doubled or booked on another",
        "Compare the shops with the day before.",
        seasonal=True,
    ),
    _share("kind_mix", "high", 0.05, "a kind of event lost or renamed", "Compare the kinds with the day before."),
    _share(
        "category_mix",
        "high",
        0.05,
        "rows of a department lost or doubled, or a broken catalogue",
        "Compare the departments with the day before.",
        seasonal=True,
    ),
    _share(
        "silent_store",
        "high",
        4.2,
        "a shop, site or device sends nothing or too little",
        "Ask that shop's feed for the day.",
        seasonal=True,
        stops=False,
    ),
    _share(
        "silent_kind",
        "high",
        5.0,
        "a kind of event sends nothing or too little",
        "Check the tracking of that kind.",
        seasonal=True,
    ),
    _share(
        "silent_category",
        "high",
        5.0,
        "a department sends nothing or too little",
        "Check the feed of that department.",
        seasonal=True,
        stops=False,
    ),
    _share(
        "top_item", "high", 0.01, "an item is put in place of others, or pushed by a script", "Look at the item's rows."
    ),
    _share(
        "surging_item",
        "high",
        0.006,
        "an item is put in place of others, or pushed by a script",
        "Look at the item's rows.",
        seasonal=True,
    ),
    _share(
        "variety",
        "both",
        0.1,
        "items merged under one id or split",
        "Compare the item ids with the catalogue.",
        seasonal=True,
    ),
)
NULLS = tuple(
    _share(
        f"null_{column}",
        "both",
        0.02,
        f"the column {column} is lost, or came back",
        "Compare the columns of the exports.",
    )
    for column in ("price", "basket_id", "store_id", "rating")
)
REFUSED = tuple(
    _share(f"bad_{reason}", "high", 0.003, f"rows refused as {reason}", "See them with `recloop quarantine show`.")
    for reason in REASONS
)
CHECKS: dict[str, Check] = {check.name: check for check in (*VOLUME, *PEOPLE, *COPIES, *MONEY, *MIX, *NULLS, *REFUSED)}
"""name -> check; the name is that of the figure"""
