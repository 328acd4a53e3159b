import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recloop.config import FeedbackConfig
from recloop.feedback.online_metrics import Decay, Online
from recloop.feedback.retrain import ReleaseFacts, decide, new_item_share

NOW = datetime(2017, 8, 1, tzinfo=UTC)
CONFIG = FeedbackConfig()
FACTS = ReleaseFacts("A", NOW - timedelta(days=10), new_events=5_000, new_item_share=0.10, drift=0.1)
LOSS = Decay(
    "A",
    young=0.5,
    old=0.4,
    control_young=0.4,
    control_old=0.4,
    young_answers=900,
    old_answers=900,
    change=-0.2,
    low=-0.3,
    high=-0.1,
)


def decision(facts=FACTS, *decays, config=CONFIG):
    return decide(Online(pl.DataFrame(), decays, answers=0), facts, config, now=NOW)


def test_a_young_release_without_loss_is_kept_with_every_check_as_a_reason():
    found = decision()
    assert not found.retrain
    assert len(found.reasons) == 5


def test_an_old_release_is_trained_again():
    found = decision(replace(FACTS, learnt_until=NOW - timedelta(days=57)))
    assert (found.retrain, found.reasons) == (
        True,
        ("The release has learnt from nothing for 57.0 days, older than the 56 allowed.",),
    )


def test_a_loss_beyond_the_limit_whose_interval_excludes_zero_calls_for_training():
    found = decision(FACTS, LOSS)
    assert found.retrain
    assert "0.5000" in found.reasons[0]
    assert "-20.0% (95% interval -30.0% to -10.0%), more than the 5.0% loss allowed" in found.reasons[0]


@pytest.mark.parametrize(
    "harmless",
    [
        replace(LOSS, high=0.01),
        replace(LOSS, change=-0.04),
        replace(LOSS, young_answers=499),
        replace(LOSS, release="B"),
    ],
    ids=["interval holds zero", "within the limit", "too few answers", "another release"],
)
def test_a_loss_that_proves_nothing_is_no_reason(harmless):
    assert not decision(FACTS, harmless).retrain


def test_many_purchases_of_unknown_items_call_for_training():
    assert "16.0% of purchases" in decision(replace(FACTS, new_item_share=0.16)).reasons[0]


def test_drift_beyond_the_limit_calls_for_training():
    assert "0.300" in decision(replace(FACTS, drift=0.3)).reasons[0]


def test_recommendations_that_moved_call_for_training():
    found = decision(replace(FACTS, moved=("entropy was outside its limits on 4 of 7 days",)))
    assert (found.retrain, found.reasons) == (
        True,
        ("What is recommended has moved: entropy was outside its limits on 4 of 7 days.",),
    )
    assert not decision(replace(FACTS, moved=())).retrain


def test_too_few_new_events_overrule_every_reason():
    found = decision(replace(FACTS, new_events=999, drift=0.3), LOSS)
    assert (found.retrain, found.reasons) == (
        False,
        ("999 events came since the release learnt, too few to learn from (1,000 are needed).",),
    )
    assert [c.name for c in found.checks if c.calls] == ["decay", "drift"]


def test_what_was_not_measured_calls_for_nothing():
    assert not decision(replace(FACTS, drift=None, new_item_share=None)).retrain


def test_several_reasons_are_all_given():
    assert len(decision(replace(FACTS, drift=0.3, new_item_share=0.5), LOSS).reasons) == 3


def test_the_saved_decision_is_json_with_its_reasons(tmp_path):
    decision(FACTS, LOSS).save(tmp_path / "decision.json")
    saved = json.loads((tmp_path / "decision.json").read_text())
    assert saved["retrain"] is True
    assert [c["name"] for c in saved["checks"]] == ["age", "decay", "new_items", "drift", "recommended", "enough"]


def test_new_item_share_counts_purchases_of_unknown_items():
    events = pl.DataFrame({"event": ["purchase"] * 4 + ["view"], "item_id": ["a", "a", "b", "z", "z"]})
    assert new_item_share(events, pl.Series(["a", "b", "a"])) == 0.25


def test_new_item_share_of_no_purchase_is_unknown():
    assert new_item_share(pl.DataFrame({"event": ["view"], "item_id": ["a"]}), pl.Series(["a"])) is None
