import json

import pytest
from typer.testing import CliRunner

from recloop.artifacts import Pointer, open_artifact, publishing
from recloop.config import load
from recloop.errors import BadConfig, BadRelease, Conflict, Unavailable
from recloop_pipelines import release, rollouts, trying
from recloop_pipelines.__main__ import app
from recloop_pipelines.commands.options import share
from recloop_pipelines.settings import settings

SERVING = Pointer(generation=3, release="somewhere", digest="old")


@pytest.fixture
def config(shop):
    return load(shop)


@pytest.fixture
def bundle():
    """A release whose files nobody opens here."""
    uri = f"{settings().store_uri}/shop/release/second"
    with publishing(uri, kind="release", parents={}, config={}) as draft:
        (draft.path / "release.json").write_text("{}")
    return open_artifact(uri, kind="release", cache=settings().folder / "cache")


@pytest.fixture
def started(config, bundle):
    return rollouts.start(config, bundle, champion="old", mode="canary", share=0.05, now=100.0)


@pytest.fixture
def moves(monkeypatch):
    """Moves of the pointer, in place of those of a ledger and MLflow."""
    made = []
    monkeypatch.setattr(
        release, "move", lambda config, bundle, serving, *, reason, who: made.append((bundle.uri, reason))
    )
    return made


def recloop(*words):
    found = CliRunner().invoke(app, [str(word) for word in words])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def test_a_canary_that_starts_is_what_the_service_will_find(config, started):
    found = rollouts.newest(config)
    assert found == started
    assert (found.name, found.mode, found.share, found.champion) == ("canary-second", "canary", 0.05, "old")


def test_there_must_be_a_champion_and_no_other_trial(config, started):
    with pytest.raises(BadRelease, match="Nothing serves shop"):
        rollouts.ready(config, None)
    with pytest.raises(BadRelease, match="canary-second of shop is running"):
        rollouts.ready(config, SERVING)
    rollouts.finish(config, rollouts.decided(config, "stopped", "enough"))
    rollouts.ready(config, SERVING)


def test_a_promoted_canary_moves_the_pointer_and_any_other_does_not(config, shop, started, moves):
    ended = started.model_copy(update={"state": "promoted", "reason": "it is safe"})
    release.conclude(config, ended)
    assert moves == [(started.release, "canary canary-second: it is safe")]
    assert rollouts.newest(config).state == "promoted"
    with pytest.raises(Conflict, match="is promoted"):
        release.conclude(config, ended.model_copy(update={"state": "rolled_back"}))
    assert len(moves) == 1


def test_a_person_may_decide_and_the_reason_is_kept(shop, started, moves):
    told = json.loads(recloop("canary", "abort", shop, "--reason", "the shop is closed", "--json").stdout)
    assert (told["state"], told["reason"]) == ("stopped", "the shop is closed")
    assert moves == []
    with pytest.raises(BadRelease, match="canary-second, is stopped"):
        recloop("canary", "promote", shop)
    assert json.loads(recloop("canary", "status", shop, "--json").stdout)["rollout"]["reason"] == "the shop is closed"


def test_the_running_service_has_its_decision_carried_out(config, started):
    trying.place(config, "decision").parent.mkdir(parents=True)
    trying._finish(config, started.model_copy(update={"state": "rolled_back", "reason": "harm"}))
    assert rollouts.newest(config).state == "rolled_back"


def test_before_the_first_rollout_the_status_says_so(shop):
    assert json.loads(recloop("canary", "status", shop, "--json").stdout) == {"rollout": None}


@pytest.mark.parametrize(("given", "found"), [("5%", 0.05), ("0.05", 0.05), ("", 0.0), ("100%", 1.0)])
def test_a_share_is_read_as_people_write_it(given, found):
    assert share(given, "--canary") == found


@pytest.mark.parametrize("given", ["five", "0", "120%", "-1%"])
def test_what_is_no_share_is_refused(given):
    with pytest.raises(BadConfig, match=r"--canary"):
        share(given, "--canary")


def test_a_release_is_not_a_canary_and_a_shadow_at_once(shop):
    with pytest.raises(BadConfig, match="either a canary or a shadow"):
        recloop("release", shop, "--canary", "5%", "--shadow")


def test_a_release_of_the_scenario_is_tried_on_its_share_once_something_serves(config):
    told = config.model_dump() | {"experiments": {"canary": 0.05}}
    own = type(config).model_validate(told)
    assert release._share(own, None, shadow=False, serving=SERVING) == 0.05
    assert release._share(own, None, shadow=False, serving=None) == 0
    assert release._share(own, None, shadow=True, serving=SERVING) == 0
    assert release._share(own, 0.0, shadow=False, serving=SERVING) == 0
    assert release._share(config, 0.2, shadow=False, serving=SERVING) == 0.2


def test_only_a_release_that_serves_everybody_wakes_the_scoring(config, monkeypatch):
    monkeypatch.setattr(release, "pointer", lambda config: SERVING)
    assert release.promoted(config=config, out="", release="somewhere") == "somewhere"
    assert release.promoted(config=config, out="", release="tried") is None


def test_a_promoted_canary_wakes_the_scoring(config, started, moves, monkeypatch):
    woken = []
    monkeypatch.setattr(release, "wake", lambda *told: woken.append(told))
    release.conclude(config, started.model_copy(update={"state": "promoted", "reason": "it is safe"}))
    assert woken == [("release", started.release, "shop")]


def test_a_promotion_stands_where_airflow_is_away(config, started, moves, monkeypatch, caplog):
    def away(*_):
        raise Unavailable("Airflow is away.")

    monkeypatch.setattr(release, "wake", away)
    release.conclude(config, started.model_copy(update={"state": "promoted", "reason": "it is safe"}))
    assert rollouts.newest(config).state == "promoted"
    assert "score_users was not woken" in caplog.text
