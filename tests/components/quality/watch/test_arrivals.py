from datetime import timedelta

import polars as pl
import pytest

from recloop.data.events import EVENT_SCHEMA, READ_SCHEMA
from recloop.data.profile import profile
from recloop.quality.watch.arrivals import LastCheck, arrivals
from watched_shops import CONFIG, DAYS, ITEMS, START, events

NOTHING = READ_SCHEMA.to_frame()


@pytest.fixture(scope="module")
def good():
    return events().select(EVENT_SCHEMA.names())


@pytest.fixture(scope="module")
def last(good):
    known = good.filter(pl.col("time") < START + timedelta(days=DAYS - 1))
    return LastCheck(profile(known, NOTHING, ITEMS), ITEMS, 0)


def found(good, last, quarantine=NOTHING, items=ITEMS):
    return arrivals(good, quarantine, items, last, config=CONFIG, day="2024-03-15")


def test_a_new_day_alone_is_no_finding(good, last):
    assert found(good, last) == []


def test_rows_dated_before_the_last_check_are_late(good, last):
    late = good.head(20).with_columns(pl.format("late-{}", "event_id").alias("event_id"))
    (finding,) = found(pl.concat([late, good]).sort("time"), last)
    assert (finding.check, finding.rows) == ("late", 20)


def test_a_few_late_rows_are_allowed(good, last):
    late = good.head(4).with_columns(pl.format("late-{}", "event_id").alias("event_id"))
    assert found(pl.concat([late, good]).sort("time"), last) == []


def test_rows_without_a_day_are_counted_against_those_of_the_last_check(good, last):
    refused = pl.concat(
        [NOTHING, pl.DataFrame({"event_id": ["x"] * 9, "reason": ["time_in_future"] * 9})], how="diagonal"
    )
    (finding,) = found(good, last, quarantine=refused)
    assert (finding.check, finding.rows) == ("undated", 9)


def test_a_catalogue_that_was_cut_is_found(good, last):
    (finding,) = found(good, last, items=ITEMS.tail(70))
    assert (finding.check, finding.rows, finding.examples[0]) == ("lost_items", 10, "1000")


def test_items_that_are_called_otherwise_are_found(good, last):
    other = ITEMS.with_columns(pl.col("title").shift(1, fill_value="Product 79"))
    (finding,) = found(good, last, items=other)
    assert (finding.check, finding.rows) == ("changed_items", 80)


def test_new_items_are_no_finding(good, last):
    more = pl.concat([ITEMS, pl.DataFrame({"item_id": ["n"], "title": ["New"], "category": ["FOOD"]})])
    assert found(good, last, items=more) == []
