import numpy as np

from recloop.bandits.policies import policy
from recloop.bandits.verdict import judge
from recloop.feedback.explored import SCHEMA, explored


def answer(n, shown, chances, *, pool="abc", scores=(2.0, 1.0, 0.0), time=0.0):
    return {
        "kind": "answer", "receipt_id": f"r{n:04}", "user_id": f"u{n}", "time": time, "release": "x", "items": list(shown),
        "propensities": list(chances), "pool": {"items": list(pool), "scores": list(scores), "drawn": list(shown)},
    }  # fmt: skip


def purchase(n, item, time):
    return {
        "kind": "event",
        "event_id": f"e{n}{item}",
        "user_id": f"u{n}",
        "item_id": item,
        "event": "purchase",
        "time": time,
    }


def test_every_candidate_is_a_row_and_what_was_bought_in_time_is_rewarded():
    plain = {"kind": "answer", "receipt_id": "p", "user_id": "u1", "time": 0.0, "release": "x", "items": ["c"]}
    records = [answer(1, "ba", (0.2, 0.9)), plain | {"time": -1.0}, purchase(1, "b", 60.0), purchase(1, "a", 90_000.0)]
    found = explored(records, hours=24)
    assert found.columns == list(SCHEMA)
    assert found.select("item_id", "rank", "propensity", "reward").rows() == [
        ("a", 2, 0.9, 0.0),
        ("b", 1, 0.2, 1.0),
        ("c", None, None, None),
    ]


def test_the_log_of_a_service_that_explored_judges_another_policy():
    rng = np.random.default_rng(2)
    records = []
    for n in range(600):
        drawn = policy("uniform").choose(np.array([[2.0, 1.0, 0.0]]), 1, rng)
        item = "abc"[drawn.places[0, 0]]
        records.append(answer(n, item, drawn.propensities[0]))
        if rng.random() < {"a": 0.6, "b": 0.2, "c": 0.1}[item]:
            records.append(purchase(n, item, 30.0))
    found = judge(explored(records, hours=1), "top_k")
    assert found.estimates["snipw"].low < 0.6 < found.estimates["snipw"].high


def test_a_journal_without_exploring_gives_an_empty_log():
    assert explored([purchase(1, "a", 1.0)], hours=1).is_empty()
