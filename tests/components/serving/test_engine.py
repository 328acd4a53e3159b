import orjson
import pytest

from recloop.errors import BadRequest
from recloop.feedback.segments import frames
from recloop.serving.engine import Engine, NoRelease, UnknownItem, record_of
from recloop.serving.schemas import Ask
from recloop.serving.state import State


@pytest.fixture
def now(bundle):
    return bundle.end + 100.5


def names(answer):
    return [item["item_id"] for item in answer["items"]]


def test_a_known_user_gets_what_the_model_ranks_best(engine, now):
    answer = engine.recommend(Ask(user_id="u0"), now=now)
    assert set(names(answer)[:2]) == {"a", "b"}
    assert len(answer["items"]) == 5
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4, 5]
    assert "reason" not in answer


def test_an_answer_is_a_receipt(engine, now):
    answer = engine.recommend(Ask(user_id="u0"), now=now)
    assert (answer["release"], answer["generation"], answer["policy"], answer["propensity"]) == (
        "first",
        1,
        "top_k",
        1.0,
    )
    assert answer["receipt_id"] != engine.recommend(Ask(user_id="u0"), now=now)["receipt_id"]
    assert answer["time"] == int(now)
    assert set(answer["milliseconds"]) == {"history", "retrieve", "features", "rank", "filters"}


def test_each_item_names_the_sources_that_proposed_it(engine, now):
    found = {item["item_id"]: item["origins"] for item in engine.recommend(Ask(user_id="u0", k=12), now=now)["items"]}
    assert "history" in found["a"]
    assert all(set(origins) <= {"history", "popularity", "item_knn"} and origins for origins in found.values())


def test_an_unknown_user_gets_popular_items_with_the_reason(engine, bundle, now):
    answer = engine.recommend(Ask(user_id="stranger"), now=now)
    popular = bundle.model.statistics.pop28
    sold = [popular[bundle.items.codes[name]] for name in names(answer)]
    assert sold == sorted(popular, reverse=True)[:5]
    assert answer["reason"].startswith("Nothing is known of this user")


def test_a_session_is_a_history(engine, now):
    answer = engine.recommend(Ask(session=["l"]), now=now)
    assert "reason" not in answer
    assert names(answer)[0] == "l"


def test_an_event_of_this_very_second_is_in_the_next_answer(engine, now):
    engine.state.add({"user_id": "x", "item_id": "l", "event": "purchase", "time": now})
    assert names(engine.recommend(Ask(user_id="x"), now=now))[0] == "l"


def test_a_moment_that_the_caller_names_sees_nothing_of_itself_or_later(engine, now):
    engine.state.add({"user_id": "x", "item_id": "l", "event": "purchase", "time": now})
    answer = engine.recommend(Ask(user_id="x", context={"time": int(now)}), now=now + 1000)
    assert "reason" in answer
    assert answer["time"] == int(now)


def test_excluded_items_are_left_out(engine, now):
    assert not {"a", "b"} & set(
        names(engine.recommend(Ask(user_id="u0", exclude=["a", "b", "unknown"], k=12), now=now))
    )


def test_seen_items_are_left_out_on_request(engine, bundle, now):
    seen = {event["item_id"] for event in engine.history("u1", now=now, at=None, limit=1000)["newest"]}
    assert not seen & set(names(engine.recommend(Ask(user_id="u1", exclude_seen=True, k=12), now=now)))


def test_a_category_is_a_whole_part_of_the_path(engine, now):
    answer = engine.recommend(Ask(user_id="u0", k=12, filters={"category": "FOOD"}), now=now)
    assert set(names(answer)) <= set("abcdef")
    assert answer["items"]


def test_prices_and_stock_narrow_what_is_recommended(engine, now):
    filters = {"min_price": 3.0, "max_price": 6.0, "in_stock": ["c", "e", "l", "unknown"]}
    assert set(names(engine.recommend(Ask(user_id="u0", k=12, filters=filters), now=now))) == {"c", "e"}


def test_an_answer_that_filters_emptied_says_so(engine, now):
    answer = engine.recommend(Ask(user_id="u0", filters={"in_stock": []}), now=now)
    assert answer["items"] == []
    assert answer["reason"] == "No item passes the filters and exclusions."


@pytest.mark.parametrize(("ask", "field"), [(Ask(), "user_id"), (Ask(user_id="u0", k=21), "k")])
def test_a_question_that_makes_no_sense_names_the_field(engine, now, ask, field):
    with pytest.raises(BadRequest) as caught:
        engine.recommend(ask, now=now)
    assert caught.value.field == field


def test_before_a_release_there_is_no_answer(now):
    with pytest.raises(NoRelease, match="no release yet"):
        Engine(State(), k=5, max_k=20).recommend(Ask(user_id="u0"), now=now)


def test_similar_items_are_those_of_the_same_visits(engine, now):
    answer = engine.similar("a", k=3, now=now)
    assert names(answer)[0] == "b"
    assert answer["release"] == "first"


def test_similar_to_an_unknown_item_is_an_error(engine, now):
    with pytest.raises(UnknownItem, match="'zzz'"):
        engine.similar("zzz", k=3, now=now)


def test_a_users_history_is_newest_first(engine, now):
    engine.state.add({"user_id": "u0", "item_id": "l", "event": "purchase", "time": now, "price": 2.5})
    found = engine.history("u0", now=now, at=None, limit=3)
    assert len(found["newest"]) == 3
    assert found["newest"][0] == {
        "item_id": "l", "title": "Item l", "category": "FOODSTUFF > TEA", "time": int(now), "price": 2.5, "quantity": 1.0,
    }  # fmt: skip
    assert found["events"] == engine.history("u0", now=now, at=int(now), limit=3)["events"] + 1


def test_the_record_of_an_answer_is_what_feedback_reads(engine, now):
    ask = Ask(user_id="u0", filters={"category": "FOOD"})
    answer = engine.recommend(ask, now=now)
    answers, events = frames([orjson.loads(orjson.dumps(record_of(ask, answer)))])
    row = answers.row(0, named=True)
    assert (row["receipt_id"], row["user_id"], row["release"]) == (answer["receipt_id"], "u0", "first")
    assert row["items"] == names(answer)
    assert len(row["scores"]) == len(row["origins"]) == len(row["items"])
    assert events.is_empty()


def test_the_record_of_an_answer_holds_the_question_with_long_lists_shortened(engine, now):
    ask = Ask(user_id="u0", exclude=["a"], filters={"in_stock": [str(n) for n in range(201)]})
    request = record_of(ask, engine.recommend(ask, now=now))["request"]
    assert request["exclude"] == ["a"]
    assert request["filters"]["in_stock"]["count"] == 201


def test_a_swap_changes_the_release_of_the_next_answer(engine, bundle, now):
    engine.swap(bundle, digest="second", generation=2)
    assert engine.recommend(Ask(user_id="u0"), now=now)["release"] == "second"
    assert engine.swaps == 2
