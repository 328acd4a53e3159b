import json
from datetime import timedelta

import polars as pl
import pytest

from recloop.columns import Columns
from recloop.quality.watch.watch import before
from watched_shops import DAYS, ITEMS, START, events, found, seen

TODAY = pl.col(Columns.Time) >= START + timedelta(days=DAYS - 1)
LAST = (START + timedelta(days=DAYS - 1)).date().isoformat()


@pytest.fixture(scope="module")
def clean():
    return events()


@pytest.fixture(scope="module")
def watched(clean):
    return seen(clean)


def test_clean_days_have_no_finding(watched):
    assert len(watched.days) == 7
    assert not watched.findings
    assert watched.rows.is_empty()


def test_a_finding_names_rows_cause_and_remedy(clean):
    at = TODAY & (pl.col(Columns.Store) == "b")
    broken = seen(clean.with_columns(pl.when(at).then(None).otherwise(Columns.Price).alias(Columns.Price)))
    finding = next(f for f in broken.findings if f.check == "null_price")
    hit = clean.filter(at)
    assert (finding.day, finding.rows) == (LAST, hit.height)
    assert set(finding.examples) <= set(hit[Columns.EventId])
    assert (finding.cause, finding.remedy) != ("", "")
    assert set(broken.rows.filter(pl.col("finding") == finding.key)[Columns.EventId]) == set(hit[Columns.EventId])
    assert finding.examples[0] in finding.sentence


def test_days_judged_before_are_not_judged_again(clean, watched, tmp_path):
    assert seen(clean, previous=_left(watched, tmp_path)).note == "no day has ended since the last check"


def test_a_day_that_has_not_ended_is_not_judged(clean):
    assert max(seen(clean, now=START + timedelta(days=DAYS - 1, hours=12)).days) == _number(DAYS - 2)


def test_a_newest_day_that_ends_early_waits(clean):
    cut = clean.filter(~TODAY | (pl.col(Columns.Time) < START + timedelta(days=DAYS - 1, hours=14)))
    waits = seen(cut, partial_day="wait")
    assert (waits.note, waits.until) == (f"{LAST} ends early and waits for the next check", _number(DAYS - 2))
    assert not waits.findings


def test_an_empty_day_is_found_when_the_next_one_came(clean):
    day = pl.col(Columns.Time).is_between(START + timedelta(days=DAYS - 3), START + timedelta(days=DAYS - 2))
    assert {"rows", "users"} <= found(seen(clean.filter(~day)))


def test_a_day_of_the_calendar_may_have_any_volume(clean):
    fewer = clean.filter(~TODAY | (pl.col(Columns.User).str.tail(1) < "3"))
    assert "users" in found(seen(fewer))
    assert not found(seen(fewer, calendar={(START + timedelta(days=DAYS - 1)).date(): "holiday"}))


def test_a_finding_that_a_person_let_pass_is_reported_apart(clean):
    fewer = clean.filter(~TODAY | (pl.col(Columns.User).str.tail(1) < "3"))
    keys = [f.key for f in seen(fewer).findings]
    passed = seen(fewer, allowed=keys)
    assert not passed.findings
    assert [f.key for f in passed.passed] == keys


def test_more_sensitive_limits_are_nearer(clean):
    scores = [{(s.check, s.day): s.score for s in seen(clean, sensitivity=x).scores} for x in (1.0, 2.0)]
    assert all(scores[1][key] == pytest.approx(2 * value) for key, value in scores[0].items())


def test_a_shop_with_few_events_is_not_judged_by_the_day(clean):
    assert "too few" in seen(clean, min_events_a_day=10_000).note


def test_a_watch_that_is_off_judges_nothing(clean):
    off = seen(clean, enabled=False)
    assert (off.days, off.note) == ((), "quality.watch is off")


def test_days_are_those_of_the_customers(clean):
    zone = "America/New_York"
    assert seen(clean, zone=zone, now=START + timedelta(days=DAYS, hours=1)).until == _number(DAYS - 2)


def test_equal_input_gives_equal_bytes(clean, tmp_path):
    broken = clean.filter(~TODAY | (pl.col(Columns.Store) == "a"))
    for name, rows in (("one", broken), ("two", broken.sample(fraction=1.0, shuffle=True, seed=1))):
        seen(rows).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert json.loads((tmp_path / "one").read_text())["findings"]


def test_what_a_check_left_is_read_for_the_next(watched, tmp_path):
    assert before(tmp_path) is None
    assert _left(watched, tmp_path).until == watched.until


def _left(watched, folder):
    from recloop.data.events import EVENT_SCHEMA, READ_SCHEMA
    from recloop.data.profile import profile

    watched.save(folder / "watch.json")
    profile(EVENT_SCHEMA.to_frame(), READ_SCHEMA.to_frame(), ITEMS).save(folder / "profile.json")
    ITEMS.write_parquet(folder / "items.parquet")
    return before(folder)


def _number(day):
    return (START + timedelta(days=day)).date().toordinal() - 719_163


def dearer(share, factor):
    """Prices of a share of one shop's rows of the last day times a factor."""
    here = (pl.col("store_id") == "c") & (pl.col("time") >= START + timedelta(days=DAYS - 1))
    chosen = here & (pl.int_range(pl.len()) % 100 < share * 100)
    return events().with_columns(pl.when(chosen).then(pl.col("price") * factor).otherwise("price").alias("price"))


def test_a_shop_with_prices_a_fifth_higher_is_found():
    assert "price_by_store" in found(seen(dearer(1.0, 1.2)))


def test_a_few_wild_prices_are_not_another_currency_of_the_shop():
    assert "price_by_store" not in found(seen(dearer(0.3, 100.0)))
