import numpy as np

from recloop.evaluation.experiments.tally import (
    ANSWERS,
    CLICKS,
    EMPTY,
    FAILED,
    HITS,
    PREFERENCE,
    PURCHASES,
    REVENUE,
    SLOW,
    Tally,
)
from recloop.feedback.attribution import attribute
from recloop.feedback.segments import frames


def answer(user, variant, time, items="ab", **more):
    return {
        "kind": "answer", "receipt_id": f"{user}-{time}", "release": "r", "user_id": user, "time": time,
        "items": list(items), "experiments": {"x": variant} if variant else {}, **more,
    }  # fmt: skip


def event(user, item, time, kind="purchase", **more):
    own = {"kind": "event", "event_id": f"{user}-{item}-{time}", "user_id": user, "item_id": item, "event": kind}
    return own | {"time": time, "price": 2.0, "quantity": 3.0} | more


def told(*records):
    tally = Tally("x", hours=1.0, slow_ms=50.0)
    for record in records:
        tally.observe(record)
    return tally


def test_what_was_shown_too_long_ago_to_count_is_forgotten():
    tally = told(answer("u", "new", 10, "ab"), answer("u", "new", 3_000, "bc"), answer("u", "new", 4_000, "d"))
    assert [*tally.shown["u"]] == ["b", "c", "d"]


def test_a_user_counts_from_the_first_exposure_on():
    tally = told(event("u", "a", 5), answer("u", "new", 10), event("u", "a", 8), event("u", "z", 20))
    (row,) = tally.users("new")
    assert (row[ANSWERS], row[PURCHASES], row[REVENUE], row[HITS]) == (1, 1, 6.0, 0)


def test_what_was_shown_within_the_hours_is_a_hit_and_later_is_not():
    tally = told(
        answer("u", "new", 0),
        event("u", "a", 3600),
        event("u", "b", 3601),
        event("u", "a", 7, "click"),
        event("u", "z", 8, "click"),
    )
    (row,) = tally.users("new")
    assert (row[HITS], row[CLICKS], row[PURCHASES]) == (1, 1, 2)


def test_answers_that_were_empty_failed_or_slow_are_counted():
    tally = told(answer("u", "new", 0, ""), answer("u", "new", 1, failed="digest"), answer("u", "new", 2, ms=51.0))
    (row,) = tally.users("new")
    assert (row[ANSWERS], row[EMPTY], row[FAILED], row[SLOW]) == (3, 1, 1, 1)


def test_answers_outside_the_experiment_and_of_nobody_do_not_count():
    tally = told(answer("u", None, 0), answer(None, "new", 0), event("u", "a", 1))
    assert tally.users("new").shape == (0, 9)


def test_hits_are_the_purchases_that_attribution_credits():
    rng = np.random.default_rng(5)
    records = []
    for n in range(400):
        time, user = 60.0 * n, f"u{rng.integers(5)}"
        items = rng.choice(list("abcdefgh"), 3, replace=False)
        records.append(answer(user, "new", time, items) if n % 2 else event(user, items[0], time))
    tally = told(*records)
    credited = attribute(*frames(records), hours=1.0)
    credited = credited.filter(credited["position"].is_not_null())
    assert tally.users("new")[:, HITS].sum() == credited.height > 20


def test_a_purchase_from_an_interleaved_list_speaks_for_who_put_it_there():
    both = {"interleaved": {"with": "other", "teams": [1, 0, 1]}}
    tally = told(answer("u", "new", 0, "abc", **both), *(event("u", item, 5) for item in "abcz"), event("u", "a", 4000))
    (row,) = tally.users("new")
    assert (row[HITS], row[PREFERENCE]) == (3, 1)
