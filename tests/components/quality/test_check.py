import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from frames import conform
from recloop.columns import Columns
from recloop.config import QualityConfig
from recloop.data.profile import Profile
from recloop.data.reading import Form
from recloop.errors import QualityFailed
from recloop.quality.check import Before, check, judge
from recloop.quality.watch.watch import Watch

START = datetime(2020, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=100)
ITEMS = pl.DataFrame({"item_id": [f"i{n}" for n in range(10)], "category": ["FOOD"] * 10})


def events(n, bad=0):
    """n rows, an hour apart, over ten items; the first `bad` have no user."""
    raw = pl.DataFrame(
        {
            "user_id": [None if i < bad else f"u{i % 7}" for i in range(n)],
            "item_id": [f"i{i % 10}" for i in range(n)],
            "time": [START + timedelta(hours=i) for i in range(n)],
            "price": [1.0 + i % 3 for i in range(n)],
        }
    )
    return conform(raw.lazy(), {}, event="purchase", form=Form(), until=None, name="log")


def judged(table, docs, previous=None, **config):
    return judge(table, ITEMS, config=QualityConfig(**config), now=NOW, seed=7, before=Before(previous), docs=docs)


def checked_again(good, docs, **config):
    quarantine = good.clear().with_columns(pl.lit("").alias(Columns.Reason))
    quality = QualityConfig(**config)
    return check(good, quarantine, ITEMS, config=quality, seed=7, previous=None, seen=Watch((), None, ""), docs=docs)


def test_a_clean_table_passes_and_is_documented(tmp_path):
    checked = judged(events(100), tmp_path)
    assert checked.verdict.ok
    assert checked.events.height == 100
    assert (tmp_path / "index.html").is_file()
    assert len(list(tmp_path.rglob("validations/*/*/*/*.html"))) == 2


def test_bad_rows_within_the_allowance_go_to_quarantine(tmp_path):
    checked = judged(events(100, bad=2), tmp_path)
    assert (checked.events.height, checked.quarantine["reason"].to_list()) == (98, ["missing_user"] * 2)


def test_more_bad_rows_than_allowed_fail_with_the_rows_of_each_reason(tmp_path):
    with pytest.raises(QualityFailed, match=r"3 of 100 events.*\n.*3\.00%.*allows 2\.00% \(missing_user 3\)"):
        judged(events(100, bad=3), tmp_path)


def test_the_report_and_the_refused_rows_are_written_before_the_failure(tmp_path):
    with pytest.raises(QualityFailed, match=r"index\.html"):
        judged(events(100, bad=3), tmp_path)
    assert (tmp_path / "index.html").is_file()
    assert pl.read_parquet(tmp_path / "quarantine.parquet").height == 3


def test_a_reason_with_a_limit_of_its_own_is_judged_by_it_alone(tmp_path):
    assert judged(events(100, bad=3), tmp_path / "a", allowance={"missing_user": 0.03}).verdict.ok
    with pytest.raises(QualityFailed, match=r"share_missing_user.*max_value 0\.01.*found 0\.03"):
        judged(events(100, bad=3), tmp_path / "b", allowance={"missing_user": 0.01})


def test_no_good_row_fails(tmp_path):
    with pytest.raises(QualityFailed, match=r"profile: good .*found 0"):
        judged(events(10, bad=10), tmp_path, max_bad_share=1)


def test_an_item_that_takes_all_fails(tmp_path):
    with pytest.raises(QualityFailed, match=r"top_item_share.*max_value 0\.05.*found 0\.1"):
        judged(events(100), tmp_path, max_top_item_share=0.05)


def test_a_volume_far_from_the_previous_table_fails(tmp_path):
    previous = judged(events(100), tmp_path / "a").verdict.profile
    busier = Profile(**previous.__dict__ | {"events_a_day": previous.events_a_day * 6})
    with pytest.raises(QualityFailed, match=r"volume_against_previous.*found 0\.16"):
        judged(events(100), tmp_path / "b", previous=busier)


def test_a_good_table_that_breaks_its_promise_fails(tmp_path):
    good = judged(events(100), tmp_path / "a").events
    broken = good.with_columns(pl.lit(-1.0).alias(Columns.Price))
    verdict = checked_again(broken, tmp_path / "b")
    assert not verdict.ok
    assert "sample: price" in verdict.reasons[0]


def test_good_rows_that_share_an_id_fail(tmp_path):
    good = judged(events(10), tmp_path / "a").events
    verdict = checked_again(pl.concat([good, good]), tmp_path / "b")
    assert "event_id expect_column_values_to_be_unique" in verdict.reasons[0]


def test_too_many_new_items_fail(tmp_path):
    old = events(60 * 24).with_columns(pl.lit("i0").alias(Columns.Item))
    recent = pl.col(Columns.Time) > START + timedelta(days=50)
    table = old.with_columns(pl.when(recent).then(pl.lit("i1")).otherwise(Columns.Item).alias(Columns.Item))
    with pytest.raises(QualityFailed, match=r"new_item_share.*max_value 0\.4.*found 0\.5"):
        judged(table, tmp_path, max_new_item_share=0.4, max_top_item_share=1)


def test_a_volume_that_changed_fails(tmp_path):
    table = events(60 * 24)
    kept = (pl.col(Columns.Time) < START + timedelta(days=32)) | (pl.col(Columns.Time).dt.hour() == 0)
    with pytest.raises(QualityFailed, match=r"volume_change.*found 0\.0"):
        judged(table.filter(kept), tmp_path)


def test_the_sample_is_drawn_by_the_seed(tmp_path):
    good = judged(events(100), tmp_path / "a").events
    broken = good.with_columns(pl.when(pl.col(Columns.Price) > 1).then(-pl.col(Columns.Price)).alias(Columns.Price))
    first, second = (checked_again(broken, tmp_path / name, sample_rows=50) for name in "bc")
    assert not first.ok
    assert first.results == second.results


def test_equal_input_gives_equal_bytes(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        judged(events(100, bad=1), tmp_path / f"docs-{name}", sample_rows=50).save(tmp_path / name)
    files = ["events.parquet", "items.parquet", "profile.json", "quarantine.parquet", "verdict.json", "watch.json"]
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == files
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)


def test_the_verdict_lists_every_expectation(tmp_path):
    judged(events(100), tmp_path / "docs").save(tmp_path)
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    assert verdict["ok"]
    assert {r["suite"] for r in verdict["results"]} == {"profile", "sample"}
    assert {"bad_share", "volume_change", "event_id"} <= {r["column"] for r in verdict["results"]}
