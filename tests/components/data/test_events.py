from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames import conform
from recloop.columns import REASONS
from recloop.config import QualityConfig
from recloop.data.events import EVENT_SCHEMA, READ_SCHEMA, reject
from recloop.data.reading import Form
from recloop.errors import BadData

NOW = datetime(2020, 1, 2, tzinfo=UTC)
UTC_TEXT = Form()
ITEMS = pl.DataFrame({"item_id": ["i"]})
ROW = {"user_id": "u", "item_id": "i", "time": "2020-01-01T10:00:00Z", "price": "2.5", "quantity": "1", "event_id": "e"}


def read(*rows, columns=None, event="purchase", form=UTC_TEXT, until=None):
    raw = pl.DataFrame(list(rows), infer_schema_length=None).lazy()
    return conform(raw, columns or {}, event=event, form=form, until=until, name="log.csv")


def reason_of(**changes):
    _, quarantine = reject(read(ROW | changes), ITEMS, config=QualityConfig(max_price=1e4, max_quantity=1e4), now=NOW)
    return quarantine["reason"].to_list()


def time_of(value, timezone="UTC"):
    raw = pl.DataFrame({"user_id": ["u"], "item_id": ["i"], "time": [value]}).lazy()
    return conform(raw, {}, event="view", form=Form(timezone), until=None, name="log")["time"][0]


def test_a_good_row_passes():
    good, quarantine = reject(read(ROW), ITEMS, config=QualityConfig(), now=NOW)
    assert good.schema == EVENT_SCHEMA
    assert quarantine.schema == READ_SCHEMA
    assert good.row(0)[:6] == ("e", "u", "i", "purchase", datetime(2020, 1, 1, 10, tzinfo=UTC), 2.5)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price": "cheap"}, "unreadable_number"),
        ({"user_id": " "}, "missing_user"),
        ({"item_id": None}, "missing_item"),
        ({"time": ""}, "missing_time"),
        ({"event": "steal"}, "unknown_event"),
        ({"event": ""}, "unknown_event"),
        ({"time": "2020-01-02T00:00:01Z"}, "time_in_future"),
        ({"time": "1989-12-31T23:59:59Z"}, "time_too_early"),
        ({"price": "inf"}, "not_finite"),
        ({"quantity": "nan"}, "not_finite"),
        ({"price": "-0.01"}, "price_out_of_range"),
        ({"price": "10001"}, "price_out_of_range"),
        ({"quantity": "0"}, "quantity_not_positive"),
        ({"quantity": "-1"}, "quantity_not_positive"),
        ({"quantity": "10001"}, "quantity_too_large"),
        ({"discount": "1.01"}, "discount_out_of_range"),
        ({"item_id": "another"}, "orphan_item"),
    ],
)
def test_a_bad_row_is_quarantined_for_its_reason(changes, reason):
    assert reason_of(**changes) == [reason]


def test_a_time_that_is_none_is_quarantined_with_its_text():
    rows = [ROW, ROW | {"event_id": "f"}, ROW | {"event_id": "g", "time": "2020-13-01"}]
    _, quarantine = reject(read(*rows), ITEMS, config=QualityConfig(), now=NOW)
    assert quarantine.select("reason", "detail").rows() == [("unreadable_time", "time=2020-13-01")]


def test_the_first_rule_that_fails_is_the_reason():
    assert reason_of(user_id="", price="-1", quantity="0") == ["missing_user"]


def test_the_second_of_two_equal_rows_is_a_duplicate_row():
    good, quarantine = reject(read(ROW, ROW), ITEMS, config=QualityConfig(), now=NOW)
    assert (good.height, quarantine["reason"].to_list()) == (1, ["duplicate_row"])


def test_another_row_of_the_same_id_is_a_duplicate_id():
    good, quarantine = reject(read(ROW, ROW | {"price": "3"}), ITEMS, config=QualityConfig(), now=NOW)
    assert (good["price"].to_list(), quarantine["reason"].to_list()) == ([2.5], ["duplicate_event_id"])


def test_every_reason_that_reject_gives_is_known():
    broken = [ROW | {"event_id": f"{n}", "time": t} for n, t in enumerate(["2020-01-01", "1970-01-01", "x", ""])]
    _, quarantine = reject(read(*broken), ITEMS, config=QualityConfig(), now=NOW)
    assert set(quarantine["reason"]) <= set(REASONS)
    assert quarantine.height == 3


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["u", ""]), st.sampled_from(["1", "-1", "x", ""]), st.sampled_from(["a", "b", ""])),
        min_size=1,
        max_size=20,
    )
)
def test_no_row_is_lost(rows):
    events = read(*[ROW | {"user_id": u, "price": p, "event_id": e} for u, p, e in rows])
    good, quarantine = reject(events, ITEMS, config=QualityConfig(), now=NOW)
    assert good.height + quarantine.height == len(rows)
    assert quarantine["reason"].null_count() == 0


def test_good_rows_are_sorted_by_time_and_id():
    rows = [ROW | {"event_id": "c"}, ROW | {"event_id": "b"}, ROW | {"event_id": "z", "time": "2019-01-01"}]
    good, _ = reject(read(*rows), ITEMS, config=QualityConfig(), now=NOW)
    assert good["event_id"].to_list() == ["z", "b", "c"]


def test_what_the_file_lacks_has_a_default():
    row = read({"user_id": "u", "item_id": "i", "time": "2020-01-01"}, event="view").row(0, named=True)
    assert (row["event"], row["quantity"], row["discount"], row["price"]) == ("view", 1.0, 0.0, None)


def test_columns_are_mapped_to_the_names_of_the_file():
    row = {"who": "u", "what": "i", "when": "2020-01-01"}
    assert read(row, columns={"user_id": "who", "item_id": "what", "time": "when"})["user_id"].to_list() == ["u"]


def test_a_missing_column_is_named_with_a_suggestion():
    with pytest.raises(BadData, match=r"item_id \('item_id'; did you mean 'item'\?\).*It has: user_id, item, time"):
        read({"user_id": "u", "item": "i", "time": "2020-01-01"})


def test_a_mapped_column_that_is_absent_is_an_error_though_optional():
    with pytest.raises(BadData, match=r"price \('cost'\)"):
        read({"user_id": "u", "item_id": "i", "time": "2020-01-01"}, columns={"price": "cost"})


def test_a_column_of_times_that_are_none_is_an_error_with_count_example_and_row():
    rows = [ROW, ROW | {"time": "yesterday"}, ROW | {"time": "01/02/2020"}]
    with pytest.raises(BadData, match=r"2 of 3 times in log.csv cannot be read, first 'time=yesterday' in row 2"):
        read(*rows)


def test_no_row_is_an_error():
    with pytest.raises(BadData, match="no event"):
        read(ROW, until=datetime(2019, 1, 1, tzinfo=UTC))


def test_events_at_the_limit_are_left_out():
    rows = [ROW, ROW | {"time": "2020-01-01T09:59:59Z"}]
    assert read(*rows, until=datetime(2020, 1, 1, 10, tzinfo=UTC)).height == 1


def test_a_row_without_a_time_is_kept_for_quarantine_whatever_the_limit():
    assert read(ROW, ROW | {"time": ""}, until=datetime(2020, 1, 2, tzinfo=UTC)).height == 2


def test_an_id_column_read_as_float_loses_its_fraction():
    assert read(ROW | {"user_id": 12.0})["user_id"].to_list() == ["12"]


def test_leading_zeros_of_an_id_are_kept():
    assert read(ROW | {"user_id": "007"})["user_id"].to_list() == ["007"]


@pytest.mark.parametrize(
    "value",
    [
        "2020-01-01T10:00:00Z",
        "2020-01-01 10:00:00",
        "2020-01-01T10:00",
        "2020-01-01T12:00:00+02:00",
        "2020-01-01T04:30:00.000-0530",
        "1577872800",
        "1577872800000",
        1577872800,
        1577872800.0,
        1577872800000,
        1577872800000000,
        datetime(2020, 1, 1, 10),
        datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_moment_is_read_from_each_form(value):
    assert time_of(value) == datetime(2020, 1, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", ["2020-07-01 10:00:00", datetime(2020, 7, 1, 10)])
def test_a_time_without_a_zone_is_in_the_configured_one(value):
    assert time_of(value, timezone="Europe/Berlin") == datetime(2020, 7, 1, 8, tzinfo=UTC)


def test_an_hour_that_occurs_twice_is_taken_for_the_first():
    assert time_of("2020-10-25 02:30:00", timezone="Europe/Berlin") == datetime(2020, 10, 25, 0, 30, tzinfo=UTC)


def test_an_hour_that_a_clock_change_leaves_out_is_unreadable():
    rows = [ROW, ROW | {"time": "2020-03-29 02:30:00"}]
    read_in_berlin = read(*rows, form=Form("Europe/Berlin"))
    assert read_in_berlin["reason"].to_list() == [None, "unreadable_time"]


def test_a_date_is_its_midnight():
    assert time_of("2020-07-01", timezone="Europe/Berlin") == datetime(2020, 6, 30, 22, tzinfo=UTC)


@settings(deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_iso_text_is_read_back(moment, minutes):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert time_of(aware.isoformat()) == aware


@pytest.mark.parametrize("few", [0, 1_000])
def test_rows_of_one_moment_are_in_the_order_of_their_ids_whether_few_or_many_change_places(monkeypatch, few):
    monkeypatch.setattr("recloop.data.events.FEW", few)
    ids = ["c", "a", "b", "z", "y", "d"]
    hours = [1, 2, 2, 3, 3, 4]
    rows = [
        ROW | {"event_id": name, "time": f"2020-01-01T{hour:02d}:00:00Z"} for name, hour in zip(ids, hours, strict=True)
    ]
    good, _ = reject(read(*rows), ITEMS, config=QualityConfig(), now=NOW)
    assert good["event_id"].to_list() == ["c", "a", "b", "y", "z", "d"]
