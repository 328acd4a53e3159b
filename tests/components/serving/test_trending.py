import numpy as np
import pytest

from recloop.serving.trending import HALF_LIFE, Trend


def event(item, time):
    return {"kind": "event", "item_id": item, "time": time}


def test_an_event_loses_half_its_weight_in_a_half_life():
    trend = Trend()
    trend.add(event("a", 0.0))
    trend.add(event("a", HALF_LIFE))
    assert trend.counts["a"] == pytest.approx((1.5, HALF_LIFE))


def test_a_late_event_counts_as_if_it_had_come_in_time():
    early, late = Trend(), Trend()
    for trend, times in ((early, (0.0, HALF_LIFE)), (late, (HALF_LIFE, 0.0))):
        for time in times:
            trend.add(event("a", time))
    assert late.counts["a"] == pytest.approx(early.counts["a"])


def test_events_of_a_journal_are_counted_on_the_way():
    trend = Trend()
    records = [event("a", 0.0), {"kind": "answer", "items": ["b"]}]
    assert list(trend.watched(records)) == records
    assert set(trend.counts) == {"a"}


def test_without_events_the_release_tells_what_trends(bundle):
    held = bundle.model.statistics
    scores = Trend().scores(bundle, bundle.end)
    expected = held.pop28 * held.pop7.sum() / held.pop28.sum()
    sold = held.pop7 > 0
    assert np.allclose(scores[sold], ((held.pop7 - expected) / np.sqrt(expected + 1))[sold])
    assert np.isneginf(scores[~sold]).all()


def test_events_of_unknown_items_change_nothing(bundle):
    trend = Trend()
    trend.add(event("unknown", bundle.end))
    assert (trend.scores(bundle, bundle.end) == Trend().scores(bundle, bundle.end)).all()
