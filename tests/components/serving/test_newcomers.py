import pytest

from recloop.config import RulesConfig
from recloop.serving.newcomers import Impressions

HOUR = 3600


@pytest.fixture
def ages(bundle):
    """Item id -> seconds since anybody first took it, at the release's end."""
    held = bundle.model
    lag = bundle.end - (held.learnt_until or bundle.end)
    return {bundle.catalogue.ids[n]: float(held.statistics.age[n]) * 86_400 + lag for n in range(1, held.n_codes)}


def due(bundle, shown, moment, **wish):
    rules = RulesConfig.model_validate({"new_items": {"share": 0.2, "impressions": 10, "days": 3650} | wish})
    return [bundle.catalogue.ids[code] for code in shown.due(bundle, rules, moment)]


def test_nobody_is_due_without_a_share(bundle):
    assert due(bundle, Impressions(), bundle.end, share=0.0) == []


def test_only_new_items_are_due(bundle, ages):
    days = (sorted(ages.values())[5] + 1) / 86_400
    assert set(due(bundle, Impressions(), bundle.end, days=days)) == {
        i for i, age in ages.items() if age < days * 86_400
    }


def test_the_schedule_runs_at_an_even_pace(bundle, ages):
    item, age = min(ages.items(), key=lambda pair: pair[1])
    shown = Impressions()
    shown.shown.update(dict.fromkeys(ages, 10) | {item: 4})
    hours = 2 * age / HOUR
    # half of the time is over: five of ten impressions are due
    assert due(bundle, shown, bundle.end, within_hours=hours) == [item]
    shown.shown[item] = 5
    assert due(bundle, shown, bundle.end, within_hours=hours) == []


def test_the_item_most_behind_comes_first(bundle, ages):
    shown = Impressions()
    shown.shown.update(dict.fromkeys(ages, 3) | {"c": 1, "d": 2})
    assert due(bundle, shown, bundle.end, within_hours=0.001)[:2] == ["c", "d"]


def test_answers_of_a_journal_count_after_a_restart():
    shown = Impressions()
    records = [{"kind": "answer", "items": ["a", "b"]}, {"kind": "event"}, {"kind": "answer", "items": ["a"]}]
    assert list(shown.watched(records)) == records
    assert shown.shown == {"a": 2, "b": 1}
