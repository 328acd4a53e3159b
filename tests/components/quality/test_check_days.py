import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recloop.config import QualityConfig
from recloop.errors import QualityFailed
from recloop.quality.check import Before, judge
from watched_shops import CONFIG, DAYS, ITEMS, START, events

TODAY = START + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def dear():
    """The last day's prices are in another currency."""
    price = pl.when(pl.col("time") >= TODAY).then(pl.col("price") * 7.5).otherwise("price")
    return events().with_columns(price.alias("price"))


def judged(table, docs, **watch):
    config = QualityConfig(watch=CONFIG.model_copy(update=watch), earliest=datetime(2020, 1, 1, tzinfo=UTC))
    return judge(table, ITEMS, config=config, now=START + timedelta(days=DAYS), seed=7, before=Before(), docs=docs)


def test_a_finding_fails_the_check_and_its_rows_are_kept(dear, tmp_path):
    with pytest.raises(QualityFailed, match=r"2024-03-15 price_level: .* Convert the prices of the day"):
        judged(dear, tmp_path)
    kept = pl.read_parquet(tmp_path / "findings.parquet")
    assert (
        kept.filter(pl.col("finding") == "price_level 2024-03-15").height == dear.filter(pl.col("time") >= TODAY).height
    )
    assert json.loads((tmp_path / "watch.json").read_text())["findings"]


def test_a_watch_that_only_warns_reports_the_finding(dear, tmp_path):
    checked = judged(dear, tmp_path / "docs", act="warn")
    assert checked.verdict.ok
    checked.save(tmp_path)
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    failed = {r["column"] for r in verdict["results"] if r["suite"] == "days" and not r["ok"]}
    assert "price_level" in failed
    assert any("price_level" in sentence for sentence in verdict["findings"])
    pages = [p.read_text() for p in (tmp_path / "docs").rglob("expectations/*.html")]
    assert any("another currency" in page for page in pages)
