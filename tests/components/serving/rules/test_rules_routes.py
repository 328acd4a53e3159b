from dataclasses import replace

import pytest

from recloop.client import Ask, Client
from recloop.config import RulesConfig
from recloop.serving.asked import Asked
from recloop.serving.engine import Engine
from recloop.serving.newcomers import Impressions
from recloop.serving.rules.book import Rulebook
from recloop.serving.rules.stage import Merchandising
from recloop.serving.stages import ready
from recloop.serving.state import State

RULES = {"tags": {"x": {"items": ["a", "unknown"]}}, "hidden": [{"name": "no_a", "where": "x"}]}
BOSS = {"X-API-Key": "boss"}


@pytest.fixture
def stage():
    return Merchandising(RulesConfig(), Impressions())


@pytest.fixture
def shop(tmp_path, bundle, served, keys, stage):
    engine = Engine(State(), k=12, max_k=20, stages=(Asked(), stage))
    engine.preparations.append(stage.prepare)
    engine.swap(bundle, digest="first", generation=1)
    with served(engine, keys=keys, rules=Rulebook(stage, tmp_path / "rules")) as server:
        yield server.client


def test_rules_are_put_and_hold_from_the_next_request_on(shop):
    told = shop.put("/v1/rules", json=RULES, headers=BOSS).json()
    assert told["matches"] == {"tags.x": 1, "hidden.no_a": 1, "out_of_stock": 0}
    items = shop.post("/v1/recommendations", json={"user_id": "u0"}).json()["items"]
    assert "a" not in [item["item_id"] for item in items]
    assert shop.get("/v1/rules", headers=BOSS).json() == told | {"origin": "run time"}
    assert shop.delete("/v1/rules", headers=BOSS).json()["rules"] == {}


@pytest.mark.parametrize("method", ["get", "put", "delete"])
@pytest.mark.parametrize(("headers", "status"), [({}, 401), ({"X-API-Key": "writer"}, 403)])
def test_only_an_administrator_sees_or_changes_rules(shop, method, headers, status):
    body = {"json": RULES} if method == "put" else {}
    assert shop.request(method, "/v1/rules", headers=headers, **body).status_code == status


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"diversity": 2}, "body.diversity"),
        ({"tags": {"x": {"items": ["a"], "colour": "red"}}}, "body.tags.x.colour"),
        ({"hidden": [{"name": "h", "where": "x +"}]}, "body.hidden.0.where"),
    ],
)
def test_wrong_rules_are_a_problem_that_names_the_field(shop, rules, field):
    response = shop.put("/v1/rules", json=rules, headers=BOSS)
    assert response.status_code == 422
    assert [wrong["field"] for wrong in response.json()["errors"]] == [field]


def test_a_change_of_rules_that_changed_meanwhile_is_refused(shop):
    read = shop.get("/v1/rules", headers=BOSS).headers["etag"]
    assert shop.put("/v1/rules", json=RULES, headers=BOSS | {"If-Match": read}).status_code == 200
    again = shop.put("/v1/rules", json={}, headers=BOSS | {"If-Match": read})
    assert again.status_code == 412
    assert "read them again" in again.json()["detail"]


def test_matches_are_those_of_the_release_that_serves_while_another_is_tried(shop, stage, bundle):
    titles = tuple("tried" for _ in bundle.catalogue.titles)
    tried = replace(bundle, catalogue=replace(bundle.catalogue, titles=titles))
    ready(tried, "tried", 0, [stage.prepare])
    told = shop.put("/v1/rules", json={"tags": {"x": {"words": ["tried"]}}}, headers=BOSS).json()
    assert told["matches"]["tags.x"] == 0


def test_the_client_reads_what_a_rule_inserted(shop):
    shop.put("/v1/rules", json={"pins": [{"name": "hero", "item": "a", "place": 1}]}, headers=BOSS)
    with Client(str(shop.base_url)) as client:
        answer = client.recommend(Ask(kind="trending", k=3))
        assert (answer.items[0].item_id, answer.items[0].rules) == ("a", ("pinned:hero",))
