import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recloop.data.events import EVENT_SCHEMA, READ_SCHEMA
from recloop.data.profile import Profile, profile

START = datetime(2020, 1, 1, tzinfo=UTC)
ITEMS = pl.DataFrame({"item_id": ["a", "b"], "category": ["FOOD > TEA", None]})


def good(*rows):
    """(item, days after START, price) a row."""
    return pl.DataFrame(
        [
            {"event_id": str(n), "user_id": f"u{n % 2}", "item_id": item, "event": "view", "quantity": 1.0}
            | {"time": START + timedelta(days=day), "price": price}
            for n, (item, day, price) in enumerate(rows)
        ],
        schema_overrides={"time": EVENT_SCHEMA["time"], "price": pl.Float64},
    )


def quarantine(*reasons):
    return pl.DataFrame({"reason": list(reasons)}, schema={"reason": pl.String})


def test_rows_are_counted_with_those_in_quarantine():
    found = profile(good(("a", 0, 1.0)), quarantine("missing_user", "missing_user", "orphan_item"), ITEMS)
    assert (found.rows, found.good, found.bad_share) == (4, 1, 0.75)
    assert found.quarantined == {"missing_user": 2, "orphan_item": 1}


def test_users_items_kinds_nulls_and_times_are_those_of_good_rows():
    found = profile(good(("a", 0, 1.0), ("b", 1, None), ("a", 2, 1.0)), quarantine(), ITEMS)
    assert (found.users, found.items, found.catalogue, found.kinds) == (2, 2, 2, {"view": 3})
    assert (found.nulls["price"], found.nulls["user_id"]) == (1, 0)
    assert (found.first, found.last) == ("2020-01-01T00:00:00+00:00", "2020-01-03T00:00:00+00:00")
    assert found.events_a_day == 1.5


def test_popularity_is_measured():
    found = profile(good(*[("a", 0, 1.0)] * 3, ("b", 0, 1.0)), quarantine(), ITEMS)
    assert found.top_item_share == 0.75
    assert found.gini == pytest.approx(0.25)


def test_equal_popularity_has_a_gini_of_zero():
    assert profile(good(("a", 0, 1.0), ("b", 0, 1.0)), quarantine(), ITEMS).gini == pytest.approx(0)


def test_recent_volume_is_compared_with_the_volume_before():
    rows = [("a", day, 1.0) for day in range(0, 32)] + [("a", 60, 1.0)] * 14
    found = profile(good(*rows), quarantine(), ITEMS)
    assert found.recent_events_a_day == 0.5
    assert found.volume_change == pytest.approx(0.5)


def test_items_never_seen_before_the_last_28_days_are_new():
    found = profile(good(("a", 0, 1.0), ("a", 60, 1.0), ("b", 60, 1.0)), quarantine(), ITEMS)
    assert found.new_item_share == 0.5


def test_a_short_history_has_no_change_to_judge():
    found = profile(good(("a", 0, 1.0), ("a", 55, 1.0)), quarantine(), ITEMS)
    assert (found.volume_change, found.new_item_share) == (None, None)


def test_views_count_by_widest_category_price_and_hour():
    found = profile(good(("a", 0, 0.0), ("b", 0.5, 3.0), ("a", 1, None)), quarantine(), ITEMS)
    assert found.by_category == {"FOOD": 2, "unknown": 1}
    assert found.by_price == {"0": 1, "2.0": 1, "unknown": 1}
    assert found.by_hour == {"00": 2, "12": 1}


def test_mappings_and_the_file_are_in_the_order_of_their_keys(tmp_path):
    found = profile(good(*[(f"i{n}", n / 24, 2.0**n) for n in range(20)]), quarantine("b", "a"), ITEMS)
    for counts in (found.by_price, found.by_hour, found.quarantined):
        assert list(counts) == sorted(counts)
    found.save(tmp_path / "profile.json")
    written = json.loads((tmp_path / "profile.json").read_text())
    assert list(written) == sorted(written)


def test_quantiles_are_values_that_occur():
    found = profile(good(("a", 0, 1.0), ("a", 0, 2.0), ("a", 0, 9.0)), quarantine(), ITEMS)
    assert (found.price["0.0"], found.price["0.5"], found.price["1.0"]) == (1.0, 2.0, 9.0)


def test_no_rows_have_a_profile():
    found = profile(EVENT_SCHEMA.to_frame(), READ_SCHEMA.to_frame(), ITEMS)
    assert (found.rows, found.first, found.price, found.gini, found.bad_share) == (0, None, {}, 0.0, 0.0)


def test_a_profile_is_read_back_and_its_bytes_do_not_depend_on_the_order_of_rows(tmp_path):
    rows = good(("a", 0, 1.0), ("b", 1, 2.0), ("a", 2, None))
    found = profile(rows, quarantine("orphan_item"), ITEMS)
    found.save(tmp_path / "one.json")
    profile(rows.reverse(), quarantine("orphan_item"), ITEMS).save(tmp_path / "two.json")
    assert Profile.load(tmp_path / "one.json") == found
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
