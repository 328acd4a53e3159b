import json

import polars as pl
import pytest

from recloop.config import load
from recloop.data.events import EVENT_SCHEMA, READ_SCHEMA
from recloop.errors import BadData, QualityFailed
from recloop_pipelines import ingest, quarantine
from recloop_pipelines.places import place
from recloop_pipelines.settings import opened


@pytest.fixture
def config(shop):
    return load(shop)


@pytest.fixture
def aside(config, tmp_path):
    """A case as a failed check leaves it."""
    docs = tmp_path / "docs"
    docs.mkdir()
    refused = pl.concat(
        [READ_SCHEMA.to_frame(), pl.DataFrame({"event_id": ["e1"], "reason": ["missing_user"]})], how="diagonal"
    )
    refused.write_parquet(docs / "quarantine.parquet")
    refused.with_columns(finding=pl.lit("rows 2024-04-01")).write_parquet(docs / "findings.parquet")
    (docs / "watch.json").write_text(json.dumps({"findings": [{"check": "rows", "day": "2024-04-01"}]}))
    quarantine.set_aside(config, "run1", docs)
    return config


def test_a_failed_check_is_kept_as_a_case(aside):
    (case,) = quarantine.cases(aside)
    assert (case.name, case.refused["reason"].to_list(), case.concerned.height) == ("run1", ["missing_user"], 1)


def test_a_case_that_is_not_there_is_answered_with_those_that_are(aside):
    with pytest.raises(BadData, match=r"no case 'other'.*there are run1"):
        quarantine.case(aside, "other")


def test_findings_are_let_pass_by_name(aside):
    assert quarantine.allowed(aside) == frozenset()
    assert quarantine.allow(aside, ["rows 2024-04-01"], by="ann") == ["rows 2024-04-01"]
    assert quarantine.allowed(aside) == {"rows 2024-04-01"}


def test_a_finding_that_no_case_has_is_refused(aside):
    with pytest.raises(BadData, match=r"finding 'users 2024-04-01'; there are: rows 2024-04-01"):
        quarantine.allow(aside, ["users 2024-04-01"], by="ann")


def test_repaired_rows_replace_those_of_their_event_ids(aside, tmp_path):
    row = {"event_id": "e1", "user_id": "ann", "item_id": "p1", "event": "view", "quantity": 1.0, "discount": 0.0}
    pl.DataFrame([row], schema=EVENT_SCHEMA).write_csv(tmp_path / "repaired.csv")
    assert quarantine.repair(aside, tmp_path / "repaired.csv") == 1
    events = pl.concat([READ_SCHEMA.to_frame(), pl.DataFrame({"event_id": ["e1", "e2"]})], how="diagonal")
    found = quarantine.readmitted(aside, events.with_columns(reason=pl.lit("missing_user")))
    assert found.select("event_id", "user_id", "reason").rows() == [("e2", None, "missing_user"), ("e1", "ann", None)]


def test_repaired_rows_without_a_column_are_refused(aside, tmp_path):
    pl.DataFrame({"event_id": ["e1"]}).write_csv(tmp_path / "repaired.csv")
    with pytest.raises(BadData, match="lacks user_id"):
        quarantine.repair(aside, tmp_path / "repaired.csv")


def test_a_bad_day_is_set_aside_until_a_person_lets_it_pass(shop, config):
    watch = config.quality.watch.model_copy(update={"min_events_a_day": 20, "history_days": 40})
    config = config.model_copy(update={"quality": config.quality.model_copy(update={"watch": watch})})
    file = shop.parent / "events.csv"
    dear = pl.when(pl.col("bought_at") > "2024-04-12").then(pl.col("price") * 100).otherwise("price").alias("price")
    pl.read_csv(file).with_columns(dear).write_csv(file)
    events = ingest.collect(config=config, out=place(config, "events", "a"))
    with pytest.raises(QualityFailed, match="price_level"):
        ingest.check(config=config, events=events, out=place(config, "checked", "a"))
    (case,) = quarantine.cases(config)
    quarantine.allow(config, [f"{f['check']} {f['day']}" for f in case.findings], by="ann")
    checked = ingest.check(config=config, events=events, out=place(config, "checked", "b"))
    seen = json.loads((opened(checked, kind="checked").path / "watch.json").read_text())
    assert not seen["findings"]
    assert "price_level" in {f["check"] for f in seen["passed"]}
