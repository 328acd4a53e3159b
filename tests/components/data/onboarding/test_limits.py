from datetime import UTC, datetime, timedelta

import polars as pl

from frames import conform
from recloop.data.items import items_of
from recloop.data.onboarding.limits import limits
from recloop.data.reading import Form

NOW = datetime(2025, 1, 1, tzinfo=UTC)
START = datetime(2024, 1, 1, tzinfo=UTC)


def measured(rows):
    raw = pl.DataFrame(rows, schema=["user_id", "item_id", "time"], orient="row").lazy()
    events = conform(raw, {}, event="purchase", form=Form(), until=None, name="log")
    return limits(events, items_of(events), now=NOW)


def log(days, *, users=4, repeats=False):
    """One event a user and day; items come again, or never for the same user."""
    return [
        (f"u{u}", f"i{(u if repeats else day) % 40}", START + timedelta(days=day, hours=u))
        for day in range(days)
        for u in range(users)
    ]


def test_rows_that_will_be_refused_raise_the_allowance_and_are_said():
    found = measured([*log(40), *((None, "i1", START + timedelta(minutes=n)) for n in range(40))])
    assert found.sections["quality"]["max_bad_share"] == 0.3
    assert any("40 of 200 rows (20.0%) will go to quarantine as missing_user" in doubt for doubt in found.doubts)


def test_clean_rows_need_no_other_limit():
    assert "max_bad_share" not in measured(log(40)).sections.get("quality", {})


def test_a_short_history_has_a_short_test():
    found = measured(log(13))
    assert found.sections["split"]["test_days"] == 3
    assert any("only 12" in doubt for doubt in found.doubts)


def test_who_takes_nothing_twice_is_not_judged_by_repeats():
    sections = measured(log(40)).sections
    assert sections["gate"] == {"views": ["new"], "champion_views": ["new"]}
    assert sections["evaluation"] == {"baselines": ["popularity", "item_knn"]}
    assert "gate" not in measured(log(40, repeats=True)).sections


def test_a_night_at_noon_is_a_doubt_about_the_zone():
    rows = [(f"u{n % 9}", f"i{n}", START + timedelta(hours=(n % 18) + 18, minutes=n)) for n in range(1_200)]
    day = [(u, i, t.replace(hour=(t.hour if t.hour < 8 or t.hour > 13 else 20))) for u, i, t in rows]
    assert any("quietest six hours begin at 08:00" in doubt for doubt in measured(day).doubts)


def test_a_handful_of_users_is_told_that_nothing_will_be_released():
    assert any("4 users are fewer than the 100" in doubt for doubt in measured(log(40)).doubts)


def test_each_users_last_event_is_hidden_where_few_come_in_the_test_window():
    rows = [(f"u{n}", f"i{n % 9}", START + timedelta(days=n)) for n in range(150)]
    assert measured(rows).sections["split"]["kind"] == "leave_last_out"
    assert "kind" not in measured(log(60)).sections.get("split", {})
