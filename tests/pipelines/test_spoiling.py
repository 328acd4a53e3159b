from datetime import UTC, date, datetime

import polars as pl
import pytest

from recloop.config import load
from recloop.data.events import EVENT_SCHEMA
from recloop.errors import Stopped
from recloop_pipelines import quarantine, spoiling

ZONE = "America/New_York"
DAY = date(2017, 11, 18)
FINDING = {"check": "price_level", "day": "2017-11-18", "stops": True}


@pytest.fixture
def config(shop):
    return load(shop)


def bought(*moments):
    """One row a moment, at a price of 2."""
    return pl.DataFrame(
        {
            "event_id": [f"e{n}" for n in range(len(moments))],
            "user_id": "u",
            "item_id": "i",
            "event": "purchase",
            "time": [datetime.fromisoformat(m).replace(tzinfo=UTC) for m in moments],
            "price": 2.0,
            "quantity": 1.0,
            "discount": 0.0,
            "rating": None,
            "basket_id": "b",
            "store_id": "s",
        },
        schema=EVENT_SCHEMA,
    )


def test_the_last_whole_day_is_the_customers_own(config):
    told = config.model_dump()
    told["quality"]["watch"]["zone"] = ZONE
    config = type(config).model_validate(told)
    assert spoiling.last_whole_day(config, datetime(2017, 11, 20, tzinfo=UTC)) == DAY


def test_prices_of_that_day_alone_are_in_cents():
    events = bought("2017-11-18T04:59", "2017-11-18T05:00", "2017-11-19T04:59", "2017-11-19T05:00")
    assert spoiling.in_cents(events, DAY, zone=ZONE)["price"].to_list() == [2.0, 200.0, 200.0, 2.0]


def test_the_case_of_the_day_is_found_among_others(config, monkeypatch):
    other = quarantine.Case("one", pl.DataFrame(), pl.DataFrame(), [FINDING | {"day": "2017-11-01"}])
    ours = quarantine.Case("two", pl.DataFrame(), pl.DataFrame(), [FINDING])
    monkeypatch.setattr(quarantine, "cases", lambda config: [ours, other])
    assert spoiling.refused(config, DAY) == ours


def test_a_fault_that_no_case_names_stops_the_demo(config, monkeypatch):
    monkeypatch.setattr(quarantine, "cases", lambda config: [])
    with pytest.raises(Stopped, match="'price_level 2017-11-18' that was planted"):
        spoiling.refused(config, DAY)


def test_repaired_rows_replace_the_spoilt_ones(config):
    events = bought("2017-11-18T12:00", "2017-11-18T13:00", "2017-11-19T12:00")
    spoilt = spoiling.in_cents(events, DAY, zone=ZONE)
    named = [f"price_level {DAY}", f"price_level {DAY}", "rows 2017-11-19"]
    case = quarantine.Case("one", pl.DataFrame(), spoilt.with_columns(finding=pl.Series(named)), [FINDING])
    assert spoiling.mended(config, case, DAY) == 2
    assert quarantine.readmitted(config, spoilt).sort("event_id").equals(events)
