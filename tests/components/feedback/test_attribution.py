import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.data.events import EVENT_SCHEMA
from recloop.feedback.attribution import attribute, outcomes
from recloop.feedback.segments import ANSWER_SCHEMA

START = datetime(2017, 7, 1, tzinfo=UTC)


def answers(*rows):
    """(receipt, user, hour, items) -> answers"""
    return pl.from_dicts(
        [
            {"receipt_id": r, "user_id": u, "time": START + timedelta(hours=h), "release": "A", "items": list(items)}
            for r, u, h, items in rows
        ],
        schema=ANSWER_SCHEMA,
    ).with_columns(origins=pl.col("items"))


def purchases(*rows, event="purchase"):
    """(event id, user, hour, item) -> events"""
    return pl.from_dicts(
        [
            {
                "event_id": e,
                "user_id": u,
                "item_id": i,
                "event": event,
                "time": START + timedelta(hours=h),
                "price": 2.0,
                "quantity": 3.0,
            }
            for e, u, h, i in rows
        ],
        schema=EVENT_SCHEMA,
    )


def credit(shown, bought, *, hours=24):
    """What each purchase was attributed to: (event, receipt, position)"""
    return attribute(shown, bought, hours=hours).select("event_id", "receipt_id", "position").rows()


def test_a_purchase_is_credited_to_the_answer_that_showed_the_item_at_its_position():
    assert credit(answers(("r1", "u", 0, "xa")), purchases(("e", "u", 1, "a"))) == [("e", "r1", 2)]


def test_the_latest_of_two_answers_that_showed_the_item_is_credited():
    shown = answers(("r1", "u", 0, "a"), ("r2", "u", 1, "a"))
    assert credit(shown, purchases(("e", "u", 2, "a"))) == [("e", "r2", 1)]


def test_an_earlier_answer_is_credited_when_the_latest_did_not_show_the_item():
    shown = answers(("r1", "u", 0, "a"), ("r2", "u", 1, "b"))
    assert credit(shown, purchases(("e", "u", 2, "a"))) == [("e", "r1", 1)]


def test_an_item_that_was_not_shown_is_a_miss_of_the_latest_answer():
    shown = answers(("r1", "u", 0, "a"), ("r2", "u", 1, "b"))
    assert credit(shown, purchases(("e", "u", 2, "z"))) == [("e", "r2", None)]


def test_an_answer_to_another_user_is_not_credited():
    assert credit(answers(("r1", "v", 0, "a")), purchases(("e", "u", 1, "a"))) == [("e", None, None)]


def test_an_answer_after_the_purchase_is_not_credited():
    assert credit(answers(("r1", "u", 2, "a")), purchases(("e", "u", 1, "a"))) == [("e", None, None)]


def test_an_answer_at_the_moment_of_the_purchase_is_credited():
    assert credit(answers(("r1", "u", 1, "a")), purchases(("e", "u", 1, "a"))) == [("e", "r1", 1)]


@pytest.mark.parametrize(("hour", "receipt"), [(24, "r1"), (24.01, None)])
def test_the_window_ends_after_its_hours(hour, receipt):
    assert credit(answers(("r1", "u", 0, "a")), purchases(("e", "u", hour, "a")))[0][1] == receipt


def test_only_purchases_are_attributed():
    assert credit(answers(("r1", "u", 0, "a")), purchases(("e", "u", 1, "a"), event="view")) == []


def test_revenue_is_price_times_quantity():
    assert attribute(answers(), purchases(("e", "u", 1, "a")), hours=24)["revenue"].to_list() == [6.0]


def test_the_origin_of_the_shown_item_is_kept():
    found = attribute(answers(("r1", "u", 0, "xa")), purchases(("e", "u", 1, "a")), hours=24)
    assert found["origin"].to_list() == ["a"]


def test_an_answer_with_no_item_takes_the_misses():
    assert credit(answers(("r1", "u", 0, "")), purchases(("e", "u", 1, "a"))) == [("e", "r1", None)]


def came(shown, bought, *, k=10, day=3):
    found = attribute(shown, bought, hours=24)
    return outcomes(shown, found, k=k, hours=24, until=START + timedelta(days=day)).to_dicts()


def test_hits_are_distinct_items_among_the_first_k():
    shown, bought = (
        answers(("r1", "u", 0, "abc")),
        purchases(("e1", "u", 1, "a"), ("e2", "u", 2, "a"), ("e3", "u", 1, "c")),
    )
    row = came(shown, bought, k=2)[0]
    assert (row["shown"], row["bought"], row["hits"], row["revenue"], row["hit_revenue"]) == (2, 2, 1, 18.0, 12.0)


def test_gain_over_ideal_is_ndcg_by_hand():
    row = came(answers(("r1", "u", 0, "abc")), purchases(("e1", "u", 1, "b"), ("e2", "u", 1, "z")))[0]
    assert row["gain"] == pytest.approx(1 / math.log2(3))
    assert row["ideal"] == pytest.approx(1 + 1 / math.log2(3))


def test_an_answer_without_a_purchase_has_no_hit_and_stays():
    row = came(answers(("r1", "u", 0, "abc")), purchases())[0]
    assert (row["hits"], row["bought"], row["gain"], row["ideal"]) == (0, 0, 0, 0)


def test_an_answer_whose_window_is_open_is_left_out():
    shown = answers(("r1", "u", 0, "a"), ("r2", "u", 1, "a"))
    assert [row["receipt_id"] for row in came(shown, purchases(), day=1)] == ["r1"]


ITEMS = st.sampled_from("abcd")
ANSWERS = st.lists(st.tuples(st.sampled_from("uv"), st.integers(0, 60), st.lists(ITEMS, unique=True, max_size=4)))
PURCHASES = st.lists(st.tuples(st.sampled_from("uv"), st.integers(0, 60), ITEMS))


@given(ANSWERS, PURCHASES)
def test_attribution_agrees_with_the_definition_row_by_row(shown, bought):
    shown = [(f"r{n:02}", *row) for n, row in enumerate(shown)]
    bought = [(f"e{n:02}", *row) for n, row in enumerate(bought)]

    def latest(found):
        return max(found, key=lambda a: (a[2], a[0]), default=None)

    expected = []
    for e, u, h, i in sorted(bought, key=lambda b: (b[2], b[0])):
        own = [a for a in shown if a[1] == u and h - 24 <= a[2] <= h]
        best = latest([a for a in own if i in a[3]])
        other = latest(own)
        expected.append((e, best[0], best[3].index(i) + 1) if best else (e, other[0] if other else None, None))
    assert credit(answers(*shown), purchases(*bought)) == expected


@given(ANSWERS, PURCHASES)
def test_every_purchase_counts_at_most_once(shown, bought):
    shown = answers(*[(f"r{n:02}", *row) for n, row in enumerate(shown)])
    bought = purchases(*[(f"e{n:02}", *row) for n, row in enumerate(bought)])
    found = attribute(shown, bought, hours=24)
    rows = outcomes(shown, found, k=10, hours=24, until=START + timedelta(days=9))
    assert found["event_id"].n_unique() == found.height == bought.height
    assert rows["revenue"].sum() == found.filter(pl.col("receipt_id").is_not_null())["revenue"].sum()
    assert (rows["hits"] <= rows["bought"]).all()
    assert (rows["gain"] <= rows["ideal"] + 1e-9).all()
