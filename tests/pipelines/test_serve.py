import gc
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest

from recloop.config import parse
from recloop_pipelines.serve import _kept, _keys, _rules, _steady
from recloop_pipelines.settings import settings


class Release:
    """One that holds itself, so that only the collector can free it."""

    def __init__(self):
        self.own = self


@pytest.fixture
def collector():
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_the_collector_does_not_look_at_what_stays(collector):
    stays = [[n] for n in range(10)]
    _steady(SimpleNamespace(preparations=[]))
    assert not any(one is stays for one in gc.get_objects())


def test_what_an_older_release_left_behind_is_freed_when_another_is_taken_up(collector):
    engine = SimpleNamespace(preparations=[])
    _steady(engine)
    gone = weakref.ref(Release())
    assert gone() is not None
    for prepare in engine.preparations:
        prepare(None)
    assert gone() is None


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("RECLOOP_HOME", str(tmp_path))
    monkeypatch.delenv("RECLOOP_KEYS", raising=False)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def test_the_keys_of_the_home_are_obeyed_without_being_named(home):
    assert _keys(Path) is None
    (home / "keys.json").write_text("{}")
    assert _keys(Path) == home / "keys.json"


def test_a_bundle_served_alone_keeps_journal_and_rules_apart_from_the_scenarios(home):
    config = parse({"scenario": "shop", "data": {"source": "complete_journey"}}, name="shop.yaml")
    own, alone = (_kept(config, "", apart=apart) for apart in (False, True))
    assert own == home / "journal" / "shop"
    assert alone == home / "trials" / "shop"
    assert _rules(config, own) == home / "serving" / "shop-rules"
    assert _rules(config, alone) == home / "trials" / "shop.rules"
