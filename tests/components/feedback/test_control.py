from datetime import UTC, datetime, timedelta

import polars as pl

from recloop.data.events import EVENT_SCHEMA
from recloop.feedback.control import control
from recloop.feedback.segments import ANSWER_SCHEMA

MONDAY = datetime(2017, 7, 3, tzinfo=UTC)


def answers(*rows):
    """(receipt, user, day) -> answers"""
    return pl.from_dicts(
        [{"receipt_id": r, "user_id": u, "time": MONDAY + timedelta(days=d), "items": ["x"]} for r, u, d in rows],
        schema=ANSWER_SCHEMA,
    )


def history(*rows, event="purchase"):
    """(user, day, item) -> events"""
    return pl.from_dicts(
        [{"user_id": u, "item_id": i, "event": event, "time": MONDAY + timedelta(days=d)} for u, d, i in rows],
        schema=EVENT_SCHEMA,
    )


def usual(shown, past, *, k=10):
    return control(shown, past, k=k)["items"].to_list()


def test_the_most_usual_items_come_first():
    assert usual(answers(("r", "u", 1)), history(("u", -9, "b"), ("u", -9, "a"), ("u", -8, "a"))) == [["a", "b"]]


def test_an_old_purchase_is_worth_half_after_60_days():
    past = history(("u", -62, "a"), ("u", -61, "a"), ("u", -1, "b"), ("u", -123, "c"))
    assert usual(answers(("r", "u", 1)), past) == [["b", "a", "c"]]


def test_nothing_of_the_week_of_the_answer_is_known():
    assert usual(answers(("r", "u", 2), ("s", "u", 9)), history(("u", 1, "a"))) == [[], ["a"]]


def test_other_users_and_other_kinds_do_not_count():
    assert usual(answers(("r", "u", 1)), history(("v", -9, "a"))) == [[]]
    assert usual(answers(("r", "u", 1)), history(("u", -9, "a"), event="view")) == [[]]


def test_at_most_k_items_and_ties_by_id():
    assert usual(answers(("r", "u", 1)), history(*[("u", -9, i) for i in "dcba"]), k=3) == [["a", "b", "c"]]


def test_answers_keep_their_order_and_columns():
    shown = answers(("r2", "v", 8), ("r1", "u", 1))
    found = control(shown, history(("u", -9, "a")), k=3)
    assert (found.schema, found["receipt_id"].to_list()) == (ANSWER_SCHEMA, ["r2", "r1"])


def test_no_answers_give_none():
    assert control(answers(), history(("u", -9, "a")), k=3).height == 0
