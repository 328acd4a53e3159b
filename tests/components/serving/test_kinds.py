import numpy as np
import pytest

from recloop.serving.schemas import Ask, Context
from recloop.serving.stages import Slate


@pytest.fixture
def ask(engine, bundle):
    """Function: fields of the request -> the answer."""
    return lambda **fields: engine.recommend(Ask(**fields), now=bundle.end + 100.0)


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def test_similar_items_are_those_of_the_same_shelf(ask):
    found = ids(ask(kind="similar", items=["a"], k=5))
    assert set(found) == set("bcdef")


def test_items_bought_together_leave_out_the_ones_asked_about(ask):
    answer = ask(kind="bought_together", items=["a", "b"], k=10)
    assert not {"a", "b"} & set(ids(answer))
    assert all(item["origins"] == ["item_knn"] for item in answer["items"])


def test_what_is_bought_again_was_bought_before(ask, engine, bundle):
    past = engine.history("u1", now=bundle.end + 100.0, at=None, limit=1000)["newest"]
    found = ids(ask(kind="buy_again", user_id="u1", k=12))
    assert found
    assert set(found) == {event["item_id"] for event in past}


def test_a_stranger_buys_nothing_again(ask):
    answer = ask(kind="buy_again", user_id="stranger")
    assert (answer["items"], answer["reason"]) == ([], "This user took nothing yet: there is nothing to buy again.")


def test_a_session_is_anonymous_and_goes_on_to_other_items(ask):
    named, nameless = (ask(kind="session", session=["l", "a"], user_id=user, k=6) for user in ("u0", None))
    assert ids(named) == ids(nameless)
    assert not {"l", "a"} & set(ids(named))


def test_a_list_comes_back_whole_in_the_models_order(ask):
    answer = ask(kind="rerank", user_id="u0", items=["l", "b", "zz", "a", "g", "h", "i", "b"])
    assert sorted(ids(answer)) == ["a", "b", "g", "h", "i", "l"]
    assert set(ids(answer)[:2]) == {"a", "b"}
    assert answer["unknown"] == ["zz"]


def test_what_the_model_has_no_opinion_of_stands_last_in_the_order_given(ask, bundle, monkeypatch):
    only = Slate(np.array([bundle.items.codes["a"]], np.int32), np.array([-2.0], np.float32), np.array([1], np.uint8))
    monkeypatch.setattr("recloop.serving.kinds.for_you", lambda _: [only])
    answer = ask(kind="rerank", items=["k", "c", "a", "b"], exclude=["b"])
    assert ids(answer) == ["a", "k", "c"]
    assert [item["score"] for item in answer["items"]] == [-2.0, -3.0, -4.0]
    assert [item.get("rules") for item in answer["items"]] == [None, ["given"], ["given"]]


def test_a_basket_is_completed_by_what_goes_with_it(ask):
    answer = ask(kind="complete_basket", context=Context(basket=["a"]), k=3)
    assert ids(answer)[0] == "b"
    assert "a" not in ids(answer)


def test_no_kind_recommends_what_lies_in_the_basket(ask):
    assert "a" not in ids(ask(user_id="u0", k=12, context=Context(basket=["a"])))


def test_trending_items_are_taken_more_than_usual_now(ask, engine, bundle):
    for n in range(50):
        engine.trend.add({"item_id": "k", "user_id": f"v{n}", "time": bundle.end + 50})
    assert ids(ask(kind="trending", k=3))[0] == "k"


def test_filters_and_exclusions_hold_for_every_kind(ask):
    fields = {"user_id": "u0", "items": list("abghl"), "session": ["b"], "context": Context(basket=["c"]), "k": 12}
    for kind in (
        "for_you",
        "similar",
        "bought_together",
        "buy_again",
        "trending",
        "session",
        "rerank",
        "complete_basket",
    ):
        found = ids(ask(kind=kind, exclude=["h"], filters={"category": "FOODSTUFF"}, **fields))
        assert set(found) <= set("gijkl"), kind
