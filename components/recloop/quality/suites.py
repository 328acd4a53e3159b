"""What must hold: one Great Expectations suite for the profile of all rows, one for a sample of them."""

from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd

from recloop.columns import EVENT_COLUMNS, EVENTS, Columns
from recloop.config import QualityConfig
from recloop.data.profile import Profile
from recloop.quality.watch.findings import iso
from recloop.quality.watch.pack import CHECKS
from recloop.quality.watch.watch import Watch

PROFILE = "profile"
SAMPLE = "sample"
DAYS = "days"
BAD_SHARE = "bad_share"


def figures(profile: Profile, config: QualityConfig, *, previous: Profile | None) -> pd.DataFrame:
    """Profile -> the one row that its suite judges. What cannot be known is null, and null is not judged."""
    shares = {reason: rows / max(profile.rows, 1) for reason, rows in profile.quarantined.items()}
    before = previous.events_a_day if previous else 0.0
    row: dict[str, Any] = {
        "rows": profile.rows,
        "good": profile.good,
        "users": profile.users,
        "items": profile.items,
        BAD_SHARE: sum(share for reason, share in shares.items() if reason not in {*config.allowance, "no_consent"}),
        **{f"share_{reason}": shares.get(reason, 0.0) for reason in sorted(config.allowance)},
        "top_item_share": profile.top_item_share,
        "new_item_share": profile.new_item_share,
        "volume_change": profile.volume_change,
        "volume_against_previous": profile.events_a_day / before if before else None,
    }
    return pd.DataFrame([row])


def profile_suite(config: QualityConfig) -> gx.ExpectationSuite:
    """Suite over the one row of `figures`."""
    change = (1 / config.max_volume_change, config.max_volume_change)
    limits: dict[str, tuple[float | None, float | None]] = {
        **dict.fromkeys(("rows", "good", "users", "items"), (1, None)),
        BAD_SHARE: (None, config.max_bad_share),
        **{f"share_{reason}": (None, limit) for reason, limit in sorted(config.allowance.items())},
        "top_item_share": (None, config.max_top_item_share),
        "new_item_share": (None, config.max_new_item_share),
        "volume_change": change,
        "volume_against_previous": change,
    }
    between = [
        gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)
        for name, (low, high) in limits.items()
    ]
    return gx.ExpectationSuite(name=PROFILE, expectations=between)


def sample_suite(config: QualityConfig) -> gx.ExpectationSuite:
    """Suite over sampled good rows: the promises of the events table, asked again by other code than made it."""
    given = (
        Columns.EventId,
        Columns.User,
        Columns.Item,
        Columns.Event,
        Columns.Time,
        Columns.Quantity,
        Columns.Discount,
    )
    return gx.ExpectationSuite(
        name=SAMPLE,
        expectations=[
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
            gxe.ExpectTableColumnsToMatchOrderedList(column_list=list(EVENT_COLUMNS)),
            *(gxe.ExpectColumnValuesToNotBeNull(column=name) for name in given),
            gxe.ExpectColumnValuesToBeUnique(column=Columns.EventId),
            gxe.ExpectColumnValuesToBeInSet(column=Columns.Event, value_set=list(EVENTS)),
            gxe.ExpectColumnValuesToBeBetween(column=Columns.Price, min_value=0, max_value=config.max_price),
            gxe.ExpectColumnValuesToBeBetween(
                column=Columns.Quantity, min_value=0, strict_min=True, max_value=config.max_quantity
            ),
            gxe.ExpectColumnValuesToBeBetween(column=Columns.Discount, min_value=0, max_value=1),
        ],
    )


def days_frame(watch: Watch) -> pd.DataFrame:
    """Watch -> a row a judged day, a column a check: how far outside its limits it is, 1 at the limit.

    What a person let pass, and what could not be judged, is null.
    """
    passed = {f.key for f in watch.passed}
    scored = [(iso(s.day), s.check, s.score) for s in watch.scores]
    scored += [(f.day, f.check, f.score) for f in watch.findings if f.check not in CHECKS]
    table: dict[str, dict[str, float]] = {}
    for day, check, score in scored:
        if f"{check} {day}" not in passed:
            table.setdefault(check, {})[day] = score
    return pd.DataFrame(table, index=[iso(day) for day in watch.days], dtype="float64").rename_axis("day").reset_index()


def days_suite(frame: pd.DataFrame) -> gx.ExpectationSuite:
    """Suite over `days_frame`; each expectation carries the faults that it is for and what to do."""
    return gx.ExpectationSuite(
        name=DAYS,
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column=name, max_value=1, notes=_notes(name))
            for name in frame.columns
            if name != "day"
        ],
    )


def _notes(name: str) -> str | None:
    check = CHECKS.get(name)
    return f"Likely {check.cause}. {check.remedy}" if check else None
