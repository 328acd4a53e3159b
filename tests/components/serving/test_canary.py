import threading
from dataclasses import replace

import httpx
import numpy as np
import pytest

from recloop.config import ExperimentsConfig
from recloop.errors import BadRelease, Unavailable
from recloop.evaluation.experiments.design import Design, Variant
from recloop.serving.bundle import Bundle
from recloop.serving.canary import Canary
from recloop.serving.engine import Engine
from recloop.serving.experiment import Experiments
from recloop.serving.others import Others
from recloop.serving.receipts import record_of
from recloop.serving.rollout import Rollout
from recloop.serving.schemas import Ask
from recloop.serving.state import State
from recloop.serving.traffic import Traffic
from recloop.serving.trials import Trials

USERS = [f"u{n}" for n in range(240)]
CONFIG = ExperimentsConfig(min_users=30, margin=0.4, max_hours=1.0, slow_ms=60_000)


class Breaks:
    """A model that was sound when it was tried."""

    def __init__(self, model):
        self.model = model

    def __getattr__(self, name):
        if name == "recommend":
            raise RuntimeError("out of tune")
        return getattr(self.model, name)


class World:
    """A store with a rollout, and one service that follows it."""

    def __init__(self, bundle, folder, tmp_path, journal, **changes):
        self.rollout = Rollout(
            **{"name": "c", "mode": "canary", "release": "uri", "digest": "new", "share": 0.5, "since": bundle.end}
            | changes
        )
        self.journal = journal
        self.folder, self.down, self.ended, self.now = folder, None, [], bundle.end + 100.0
        self.others = Others(self.fetch)
        self.experiments = Experiments(tmp_path / "experiments.json", self.others)
        traffic = Traffic(self.experiments, holdout=0.0, rng=np.random.default_rng(0))
        self.engine = Engine(State(), k=5, max_k=20, stages=(traffic,))
        self.engine.choose = traffic.choose
        self.engine.swap(bundle, digest="old", generation=1)
        self.canary = Canary(
            self.engine, traffic, self.others, poll=self.poll, replay=journal.replay, finish=self.finish,
            clock=lambda: self.now, config=CONFIG, hours=24, seconds=600, remembered=tmp_path / "rollout.json",
        )  # fmt: skip
        self.trials = Trials(self.experiments, self.canary, None)

    def poll(self):
        if self.down:
            raise self.down
        return self.rollout

    def fetch(self, _):
        if isinstance(self.folder, Exception):
            raise self.folder
        return self.folder, "new"

    def finish(self, ended):
        self.ended.append(ended)
        self.rollout = ended


@pytest.fixture
def world(bundle, other_folder, tmp_path, opened):
    def make(**changes):
        return World(bundle, other_folder, tmp_path, opened(), **changes)

    return make


def shop(server, users, *, buys):
    """Each user asks and buys what was shown as often as `buys(variant)` says."""
    seen = []
    for n, user in enumerate(users):
        answer = server.client.post("/v1/recommendations", json={"user_id": user}).json()
        seen.append(answer)
        if n % 10 < 10 * buys(answer["experiments"]["c"]):
            event = {
                "event_id": f"e{n}",
                "user_id": user,
                "item_id": answer["items"][0]["item_id"],
                "event": "purchase",
            }
            server.client.post("/v1/events", json=event | {"time": answer["time"] + 1})
    return seen


def sell(own, *, buys):
    """As `shop`, without a server."""
    seen = []
    for n, user in enumerate(USERS):
        ask = Ask(user_id=user)
        answer = own.engine.recommend(ask, now=own.now)
        own.trials.observe(record_of(ask, answer))
        seen.append(answer["release"])
        if n % 10 < 10 * buys(answer["experiments"]["c"]):
            event = {"kind": "event", "user_id": user, "item_id": answer["items"][0]["item_id"], "event": "purchase"}
            own.trials.observe(event | {"time": own.now + 1})
    return {*seen}


def test_a_canary_that_sells_as_well_is_promoted_by_itself(world):
    own = world()
    own.canary.look()
    assert sell(own, buys=lambda _: 1.0) == {"old", "new"}
    own.canary.look()
    assert own.ended[0].state == "promoted"
    assert "hits 1 against 1" in own.ended[0].reason


def test_a_canary_that_sells_worse_is_rolled_back_and_its_users_get_the_champion_at_once(world):
    own = world()
    own.canary.look()
    sell(own, buys=lambda variant: 0.9 if variant == "champion" else 0.1)
    own.canary.look()
    assert own.ended[0].state == "rolled_back"
    assert "hits" in own.ended[0].reason
    assert {own.engine.recommend(Ask(user_id=user), now=own.now)["release"] for user in USERS[:20]} == {"old"}


def test_no_shopper_sees_that_a_canary_breaks_and_two_breaks_end_it(world, served):
    own = world()
    with served(own.engine, journal=own.journal, trials=own.trials) as server:
        loaded = own.others.loaded["uri"]
        own.others.loaded["uri"] = replace(loaded, bundle=replace(loaded.bundle, model=Breaks(loaded.bundle.model)))
        answers = [server.client.post("/v1/recommendations", json={"user_id": user}) for user in USERS[:40]]
        assert {a.status_code for a in answers} == {200}
        assert {a.json()["release"] for a in answers} == {"old"}
        assert "new" in {a.json().get("failed") for a in answers}
        own.canary.look()
    assert "errors" in own.ended[0].reason


def test_interleaved_lists_hold_items_of_both_and_one_that_breaks_leaves_the_champions(world, served):
    own = world()
    variants = (Variant(name="control"), Variant(name="both", release="uri", interleave=True))
    own.experiments.start(Design(name="draft", variants=variants), now=1.0)
    own.engine.partner = own.engine.choose.__self__.partner
    own.rollout = None
    with served(own.engine, journal=own.journal, trials=own.trials) as server:

        def asked():
            return [server.client.post("/v1/recommendations", json={"user_id": user}).json() for user in USERS[:12]]

        found = [a for a in asked() if a["experiments"]["draft"] == "both"]
        assert {team for a in found for team in a["interleaved"]["teams"]} == {0, 1}
        loaded = own.others.loaded["uri"]
        own.others.loaded["uri"] = replace(loaded, bundle=replace(loaded.bundle, model=Breaks(loaded.bundle.model)))
        assert {a.get("failed") for a in asked() if a["experiments"]["draft"] == "both"} == {"new"}


def test_no_answer_fails_or_mixes_releases_while_they_are_swapped_and_tried(world, served, bundle, other_folder):
    own = world()
    other = Bundle.load(other_folder)
    with served(own.engine, journal=own.journal, trials=own.trials) as server:
        seen, ended = [], threading.Event()

        def ask():
            with httpx.Client(base_url=server.url, timeout=20) as client:
                while not ended.is_set():
                    seen.append(client.post("/v1/recommendations", json={"user_id": "u1"}))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for n in range(8):
            own.engine.swap(other if n % 2 else bundle, digest="new" if n % 2 else "old", generation=n + 2)
            own.rollout = own.rollout.model_copy(update={"name": f"c{n}"})
            own.canary.look()
        ended.set()
        for thread in threads:
            thread.join()
    lists = {(a.json()["release"], tuple(item["item_id"] for item in a.json()["items"])) for a in seen}
    assert {a.status_code for a in seen} == {200}
    assert len(seen) > 8
    assert len(lists) == len({release for release, _ in lists}) == 2


def test_a_restart_without_the_store_goes_on_with_what_the_journal_knows(world, served):
    own = world()
    with served(own.engine, journal=own.journal, trials=own.trials) as server:
        shop(server, USERS[:30], buys=lambda _: 0.5)
        before = {arm: own.canary.tally.users(arm) for arm in ("champion", "canary")}
    again = world()
    again.down = Unavailable("the store is away")
    again.trials.start()
    again.trials.stop()
    for arm, rows in before.items():
        np.testing.assert_array_equal(again.canary.tally.users(arm), rows)
    assert "away" in again.trials.reasons["rollout_store"]
    assert again.engine.choose.__self__.canary.name == "c"


def test_what_was_not_shown_to_be_safe_in_time_is_rolled_back(world):
    own = world()
    own.canary.look()
    assert own.ended == []
    own.now += 3601.0
    own.canary.look()
    assert own.ended[0].state == "rolled_back"
    assert "1 hours went by" in own.ended[0].reason


def test_a_bundle_that_cannot_be_served_is_rolled_back_before_anybody_sees_it(world):
    own = world()
    own.folder = BadRelease("its vocabulary is empty")
    own.canary.look()
    assert own.ended[0].reason == "It cannot be served: its vocabulary is empty"
    assert own.engine.choose.__self__.canary is None


def test_a_decision_that_could_not_be_carried_out_is_tried_again(world):
    own = world()
    own.canary.look()
    own.now, own.canary.finish = own.now + 3601.0, lambda _: 1 / 0
    own.canary.look()
    assert "ZeroDivisionError" in own.canary.reasons["rollout"]
    own.canary.finish = own.finish
    own.canary.look()
    assert own.ended[0].state == "rolled_back"
    assert own.canary.reasons == {}


def test_one_that_was_ended_elsewhere_is_left(world):
    own = world()
    own.canary.look()
    own.rollout = own.rollout.model_copy(update={"state": "stopped"})
    own.canary.look()
    assert own.canary.figures() == {"rollout": None}
    assert own.others.loaded == {}
