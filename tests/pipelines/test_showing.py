"""What the demo says on its way, word for word where a reader would look for it."""

from datetime import date

import polars as pl
import pytest
from rich.console import Console

from recloop.config import load
from recloop.serving.rollout import Rollout
from recloop_pipelines import showing
from recloop_pipelines.quarantine import Case

PRICES = {
    "check": "price_level", "day": "2017-11-18", "about": "", "rows": 4647, "stops": True,
    "cause": "another currency, or prices with tax", "remedy": "Convert the prices of the day.",
}  # fmt: skip
SILENT = PRICES | {"check": "silent_store", "stops": False}
RAIL = {"name": "hits", "canary": 1.25, "champion": 1.21, "harm": 1.0, "safe": True}


@pytest.fixture
def console():
    return Console(record=True, width=140)


@pytest.fixture
def config(shop):
    return load(shop)


def rollout(**told):
    return Rollout(name="canary-2", mode="canary", release="uri", digest="new", share=0.5, since=0.0, **told)


def test_a_refused_day_is_shown_with_class_rows_cause_and_remedy(console, config):
    case = Case("20261124T1", pl.DataFrame(), pl.DataFrame(), [PRICES, SILENT])
    showing.refused(console, config, case, generation=1)
    told = console.export_text()
    for words in ("price_level", "2017-11-18", "4,647", PRICES["cause"], PRICES["remedy"]):
        assert words in told
    assert "silent_store" not in told
    assert "Generation 1 goes on serving" in told
    assert "recloop quarantine show shop --case 20261124T1" in told


def test_a_repaired_day_is_shown_with_what_the_check_says_then(console, config, monkeypatch, tmp_path):
    (tmp_path / "profile.json").write_text('{"good": 1200000}')
    monkeypatch.setattr(showing, "required", lambda config, kind: "uri")
    monkeypatch.setattr(showing, "opened", lambda uri, kind: type("Made", (), {"path": tmp_path}))
    showing.mended(console, config, date(2017, 11, 18), 4647)
    told = console.export_text()
    assert "Repaired: 4,647 prices of 2017-11-18" in told
    assert "Check ok, 1,200,000 events good" in told


def test_the_canary_s_verdict_is_shown_with_its_guardrails(console):
    ended = rollout(state="promoted", reason="812 users: hits 1.25 against 1.21", figures={"guardrails": [RAIL]})
    showing.canary_ends(console, ended)
    told = console.export_text()
    assert "Canary: promoted by its guardrails. 812 users" in told
    assert [line.split() for line in told.splitlines()][-1] == ["hits", "1.25", "1.21", "1", "yes"]


def test_a_canary_without_a_verdict_is_not_called_promoted(console):
    showing.canary_ends(console, rollout(reason=""))
    assert "Canary: still running" in console.export_text()
