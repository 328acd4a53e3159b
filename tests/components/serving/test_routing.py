from dataclasses import replace

import pytest

from recloop.models.router import MODEL, Router, Stretch
from recloop.serving.engine import Engine
from recloop.serving.routing import KEPT, Latest
from recloop.serving.schemas import Ask
from recloop.serving.state import State


@pytest.fixture
def ask(bundle):
    """Function: source of strangers, of users of one to four events, fields of the request -> the answer."""

    def answer(nobody=MODEL, few=MODEL, **fields):
        stretches = tuple(Stretch(n, name, 1, {}, {}) for n, name in ((0, nobody), (1, few), (5, MODEL)))
        engine = Engine(State(), k=12, max_k=20)
        engine.swap(replace(bundle, router=Router(stretches)), digest="first", generation=1)
        return engine.recommend(Ask(**fields), now=bundle.end + 100.0)

    return answer


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def test_a_stranger_is_answered_by_the_source_of_no_events(ask, bundle):
    answer = ask("popularity_7", user_id="stranger", k=3)
    week = bundle.model.statistics.pop7
    assert [week[bundle.items.codes[name]] for name in ids(answer)] == sorted(week[1:], reverse=True)[:3]
    assert answer["source"] == "popularity_7"
    assert answer["reason"] == "Nothing is known of this user yet: popular items of the last 7 days."


def test_a_short_session_is_answered_by_its_source_and_filled_up(ask, engine, bundle):
    answer = ask(few="item_knn", kind="session", session=["a"])
    near = engine.recommend(Ask(kind="bought_together", items=["a"], k=12), now=bundle.end + 100.0)
    assert ids(answer)[:3] == ids(near)[:3]
    assert len(ids(answer)) == 11


def test_a_user_of_many_events_is_answered_by_the_model(ask, engine, bundle):
    answer = ask("popularity_7", "item_knn", user_id="u0", k=5)
    assert ids(answer) == ids(engine.recommend(Ask(user_id="u0", k=5), now=bundle.end + 100.0))
    assert "source" not in answer


def test_a_source_keeps_to_filters_and_exclusions(ask):
    answer = ask("popularity_7", "frequency", user_id="stranger", exclude=["a"], filters={"category": "FOOD"})
    assert set(ids(answer)) == set("bcdef")


def test_questions_of_one_batch_go_to_their_own_sources(bundle):
    engine = Engine(State(), k=3, max_k=20)
    router = Router((Stretch(0, "popularity_7", 1, {}, {}), Stretch(5, MODEL, 1, {}, {})))
    engine.swap(replace(bundle, router=router), digest="first", generation=1)
    users = ("stranger", "u0", "nobody", "u1")
    wanted = [engine.wanted(Ask(user_id=user), now=bundle.end + 100.0)[0] for user in users]
    sources = [slate.notes.get("source") for slate in engine.proposed(wanted)[0]]
    assert sources == ["popularity_7", None, "popularity_7", None]


def test_what_was_made_of_a_release_is_kept_while_others_are_asked(bundle):
    first, second = replace(bundle, end=1), replace(bundle, end=2)
    latest = Latest(lambda one: [one.end])
    made = latest.of(first)
    assert latest.of(second) == [2]
    assert latest.of(first) is made


def test_releases_that_are_asked_no_more_are_let_go(bundle):
    latest = Latest(lambda one: one.end)
    for end in range(10):
        latest.of(replace(bundle, end=end))
    assert len(latest.held) == KEPT
