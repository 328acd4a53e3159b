import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from recloop.feedback.attribution import attribute
from recloop.feedback.recommended import recommended
from recloop.feedback.segments import frames

START = datetime(2024, 1, 1, tzinfo=UTC)
ITEMS = pl.DataFrame({"item_id": list("abcdz"), "category": ["FOOD > X", "FOOD", "HOME", "HOME", None]})
KNOWN = pl.Series(list("abcd"))


def found(days=40, late=None, score=2.0):
    """Four answers a day of two items, the first of which is bought; the newest days may show others."""
    records = []
    for n in range(days * 4):
        day, turn = divmod(n, 4)
        time = (START + timedelta(days=day, hours=9 + turn)).timestamp()
        items = late[turn % len(late)] if late and day >= days - 4 else ["ab", "ca", "bd", "dc"][turn]
        records += [
            {"kind": "answer", "receipt_id": f"r{n:04}", "time": time, "user_id": f"u{turn}", "release": "A",
             "items": list(items), "scores": [score if day >= days - 4 else 2.0, 1.0]},
            {"kind": "event", "event_id": f"e{n:04}", "user_id": f"u{turn}", "item_id": items[0], "event": "purchase",
             "time": time + 60},
        ]  # fmt: skip
    answers, events = frames(records)
    return recommended(answers, attribute(answers, events, hours=1), events, ITEMS, KNOWN)


def moved(result):
    return {m.figure for m in result.moved}


def test_steady_answers_have_not_moved():
    assert (found().moved, found().judged) == ((), 7)


def test_a_day_is_told_in_figures():
    row = found().table.row(-1, named=True)
    assert row["leading"] == pytest.approx(1.0)
    assert row["entropy"] == pytest.approx(1.386, abs=1e-3)
    assert (row["cold"], row["first"], row["score"]) == (0.0, 1.0, 2.0)
    assert row["miscalibration"] == pytest.approx(0.0)


def test_answers_that_narrow_to_a_few_items_have_moved():
    assert moved(found(late=["ab"])) == {"entropy"}


def test_departments_are_judged_after_four_weeks_of_reference_and_four_of_history():
    assert {"entropy", "category_mix"} <= moved(found(days=70, late=["ab"]))


def test_items_that_nobody_took_are_cold():
    assert "cold" in moved(found(late=["az", "zb", "cz", "dz"]))


def test_scores_that_rise_have_moved():
    assert moved(found(score=3.0)) == {"score"}
    assert "score was outside its limits on 4 of 7 days (3, 2 expected)" in found(score=3.0).moved[0].sentence


def test_four_weeks_are_needed_to_judge():
    assert found(days=20, late=["ab"]).judged == 0


def test_no_answer_is_no_day():
    nothing, events = frames([])
    assert recommended(nothing, attribute(nothing, events, hours=1), events, ITEMS, KNOWN).table.is_empty()


def test_the_file_is_json_of_equal_bytes(tmp_path):
    for name in ("a", "b"):
        found(late=["ab"]).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(json.loads((tmp_path / "a").read_text())["days"]) == 40
