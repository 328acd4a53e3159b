import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recloop.config import FeedbackConfig
from recloop.feedback.online_metrics import measure

START = datetime(2017, 7, 3, tzinfo=UTC)  # a Monday
CONFIG = FeedbackConfig(bootstrap=200, compare_days=7)


def outcome(user, day, *, hits=0, bought=2, release="A", control=1, asked="for_you"):
    return {
        "receipt_id": f"{user}-{day}-{release}",
        "user_id": user,
        "release": release,
        "asked": asked,
        "time": START + timedelta(days=day),
        "shown": 10,
        "bought": bought,
        "hits": hits,
        "control_hits": control,
        "revenue": 10.0 * bought,
        "hit_revenue": 10.0 * hits,
        "gain": float(hits),
        "ideal": 2.0 if bought else 0.0,
    }


def table(online, by, metric):
    rows = online.table.filter((pl.col("by") == by) & (pl.col("metric") == metric))
    return dict(rows.select("group", "value").iter_rows())


ROWS = [outcome("u", 0, hits=1), outcome("v", 8), outcome("u", 9, hits=2), outcome("w", 9, bought=0, release="B")]
LEARNT = {"A": START - timedelta(days=2)}


def test_metrics_by_release_are_right_by_hand():
    online = measure(pl.from_dicts(ROWS), LEARNT, CONFIG, seed=0)
    found = {
        m: table(online, "release", m) for m in ("hit_rate", "precision", "ndcg", "purchase_share", "revenue_share")
    }
    assert {m: values["A"] for m, values in found.items()} == pytest.approx(
        {"hit_rate": 2 / 3, "precision": 3 / 30, "ndcg": 0.5, "purchase_share": 0.5, "revenue_share": 0.5}
    )


def test_an_answer_without_purchases_counts_in_the_hit_rate_and_not_in_ndcg():
    online = measure(pl.from_dicts(ROWS), LEARNT, CONFIG, seed=0)
    assert table(online, "release", "hit_rate")["B"] == 0.0
    assert json.dumps(table(online, "release", "ndcg")["B"]) == "NaN"


def test_weeks_begin_on_monday():
    online = measure(pl.from_dicts(ROWS), LEARNT, CONFIG, seed=0)
    assert table(online, "week", "hit_rate") == pytest.approx({"2017-07-03": 1.0, "2017-07-10": 1 / 3})


def test_age_is_in_whole_weeks_since_the_release_learnt_and_only_of_known_releases():
    online = measure(pl.from_dicts(ROWS), LEARNT, CONFIG, seed=0)
    assert table(online, "life", "hit_rate") == pytest.approx({"A 000": 1.0, "A 001": 0.5})


def test_over_control_is_the_ratio_of_the_two_hit_rates():
    rows = [outcome("u", 0, hits=1, control=1), outcome("v", 1, hits=1, control=0), outcome("w", 1, hits=1, control=1)]
    assert table(measure(pl.from_dicts(rows), LEARNT, CONFIG, seed=0), "release", "over_control") == {"A": 1.5}


def test_mean_age_is_in_days():
    online = measure(pl.from_dicts(ROWS), LEARNT, CONFIG, seed=0)
    row = online.table.filter((pl.col("by") == "life") & (pl.col("group") == "A 001")).row(0, named=True)
    assert (row["age_days"], row["answers"], row["users"]) == (10.5, 2, 2)


def test_decay_compares_a_releases_first_days_with_its_last():
    rows = [outcome(f"u{n}", day, hits=n % 4 < (2 if day < 7 else 1)) for n in range(40) for day in (0, 20)]
    found = measure(pl.from_dicts(rows), LEARNT, CONFIG, seed=0).decay[0]
    assert (found.young, found.old, found.change) == (0.5, 0.25, -0.5)
    assert -1 <= found.low < -0.5 < found.high < 0


def test_decay_is_net_of_what_befell_the_control_too():
    rows = [
        outcome(f"u{n}", day, hits=n % 4 < (2 if day < 7 else 1), control=n % 4 < (4 if day < 7 else 2))
        for n in range(40)
        for day in (0, 20)
    ]
    found = measure(pl.from_dicts(rows), LEARNT, CONFIG, seed=0).decay[0]
    assert (found.control_young, found.control_old, found.change) == (1.0, 0.5, 0.0)


def test_a_release_that_lived_too_short_has_no_decay():
    rows = [outcome("u", 0), outcome("u", 13)]
    assert measure(pl.from_dicts(rows), LEARNT, CONFIG, seed=0).decay == ()


def test_no_outcomes_give_an_empty_table():
    online = measure(pl.from_dicts(ROWS).clear(), LEARNT, CONFIG, seed=0)
    assert (online.table.height, online.decay, online.answers) == (0, (), 0)


def test_saving_twice_writes_the_same_bytes_of_strict_json(tmp_path):
    for name in ("a", "b"):
        measure(pl.from_dicts(ROWS).reverse(), LEARNT, CONFIG, seed=0).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert "NaN" not in (tmp_path / "a").read_text()


def test_kinds_of_request_are_told_apart_and_age_is_that_of_the_usual_one():
    rows = [*ROWS, outcome("x", 0, asked="similar"), outcome("x", 9, hits=1, asked="similar")]
    online = measure(pl.from_dicts(rows), LEARNT, CONFIG, seed=0)
    assert table(online, "asked", "hit_rate") == {"for_you": 0.5, "similar": 0.5}
    assert table(online, "life", "hit_rate") == pytest.approx({"A 000": 1.0, "A 001": 0.5})


def test_more_of_another_kind_is_no_decay():
    usual = [outcome(f"u{day}", day, hits=1) for day in range(20)]
    other = [outcome(f"s{day}", day, asked="similar") for day in range(10, 20)]
    with_others, alone = (measure(pl.from_dicts(rows), LEARNT, CONFIG, seed=0) for rows in (usual + other, usual))
    assert with_others.decay == alone.decay
    assert len(alone.decay) == 1


def test_groups_of_fewer_users_than_k_are_withheld():
    rows = [outcome("u", day, hits=1) for day in range(20)] + [outcome("v", 3), outcome("w", 3, release="B")]
    online = measure(pl.from_dicts(rows), LEARNT, CONFIG, seed=0)
    assert len(online.decay) == 1
    found = online.of_groups(2)
    assert table(found, "release", "hit_rate").keys() == {"A"}
    assert table(found, "week", "hit_rate").keys() == {"2017-07-03"}
    assert found.decay == online.decay
    assert online.of_groups(3).decay == ()
