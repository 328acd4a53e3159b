from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recloop.config import ContractConfig, NotifyConfig
from recloop.quality.contract import promises, sentences

START = datetime(2024, 5, 1, 12, tzinfo=UTC)
ITEMS = pl.DataFrame({"item_id": ["a", "b"], "title": ["A", " "]})
GOOD = pl.DataFrame(
    {
        "time": [START + timedelta(days=day) for day in (0, 0, 1, 3, 3, 4)],
        "price": [1.0, None, 2.0, 3.0, None, 1.0],
    }
)
NOW = START + timedelta(days=4, hours=30)


def broken(**contract):
    config = ContractConfig(owner="orders@shop.example", **contract)
    return sentences(promises(GOOD, ITEMS, config, now=NOW), config)


def test_what_is_kept_is_not_told():
    kept = {"fresh_hours": 30, "filled": {"price": 0.6}, "items_filled": {"title": 0.5}}
    assert broken(**kept) == ()


def test_old_events_break_the_promise_of_freshness_and_name_the_owner():
    assert broken(fresh_hours=29) == (
        "The newest event is 30.0 hours old (2024-05-05 12:00 UTC); 29 are promised. Ask orders@shop.example.",
    )


def test_a_column_that_is_seldom_filled_breaks_a_promise():
    (said,) = broken(filled={"price": 0.7})
    assert said.startswith("66.67% of 6 events have a price; 70.00% are promised")


def test_only_the_newest_days_are_looked_at():
    assert broken(filled={"price": 0.7}, days=2)[0].startswith("66.67% of 3 events")


def test_a_blank_text_is_not_filled():
    assert broken(items_filled={"title": 0.6})[0].startswith("50.00% of 2 items have a title")


def test_a_day_without_an_event_is_the_poorest_and_the_newest_day_may_be_under_way():
    assert broken(least_a_day=1, days=4)[0].startswith("2024-05-03 has 0 events; 1 a day are promised")
    assert broken(least_a_day=2, days=1) == ()


@pytest.mark.parametrize("columns", [{"filled": {"prise": 0.5}}, {"items_filled": {"price": 0.5}}])
def test_a_promise_of_a_column_that_is_none_is_refused(columns):
    with pytest.raises(ValueError, match="is none of"):
        ContractConfig(**columns)


@pytest.mark.parametrize(
    ("smtp", "says"), [("smtp://me:secret@host", "holds a password"), ("host:25", "must be smtp://")]
)
def test_a_mail_server_has_a_scheme_and_no_password(smtp, says):
    with pytest.raises(ValueError, match=says):
        NotifyConfig(smtp=smtp)
