from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from frames import DAY, canonical, items
from recloop.config import SplitConfig
from recloop.data import split
from recloop.data.windows import Window
from recloop.evaluation.folds import exam
from recloop.evaluation.leaks import leaks

ROWS = [(f"u{u}", f"i{(2 * u + d * d) % 7}", d) for u in range(6) for d in range(6)]


def dataset(rows=ROWS, kind="temporal", **columns):
    events = canonical(rows).with_columns(**columns)
    known = items(sorted({item for _, item, _ in rows}))
    return split.build(events, known, SplitConfig(kind=kind, test_days=2, min_item_events=1))


def found(data, taken=None):
    return {f.name: f for f in leaks(data, taken or exam(data))}


def test_an_honest_dataset_has_no_leak():
    for kind in ("temporal", "leave_last_out"):
        assert "leak" not in {f.level for f in found(dataset(kind=kind)).values()}


def test_a_history_that_reaches_into_the_test_is_a_leak(monkeypatch):
    from recloop.data import dataset as module

    monkeypatch.setattr(module.Dataset, "before", lambda self, window: self.events.filter(pl.col("item") > 0))
    names = {name for name, f in found(dataset()).items() if f.level == "leak"}
    assert {"future canary", "target in the input"} <= names


def test_a_cut_after_the_tests_start_is_told_by_what_is_learnt_later_than_asked():
    data = dataset([*ROWS, ("late", "i0", 1), ("late", "i1", 5)])
    late = Window(data.test.start + DAY, data.test.end)
    assert found(data)["learnt later than asked"].share == 0
    assert found(data, replace(exam(data), cut=late))["learnt later than asked"].share > 0


def test_where_times_are_an_order_only_nothing_is_said_of_what_is_later():
    assert found(dataset(kind="leave_last_out"))["learnt later than asked"].n == 0


def test_baskets_that_the_split_cuts_in_two_are_a_leak():
    halves = pl.format("{}-{}", "user_id", (pl.col("time").dt.day() + 1) // 2)
    assert found(dataset(basket_id=halves))["baskets across the split"].level == "ok"
    whole = found(dataset(basket_id=pl.col("user_id")))["baskets across the split"]
    assert (whole.level, whole.share, whole.n) == ("leak", 1.0, 6)


def test_users_who_are_copies_of_one_another_are_a_leak():
    assert found(dataset())["duplicates across the split"].n == 6
    twins = [(f"{twin}{u}", i, d) for u, i, d in ROWS for twin in "ab"]
    copied = found(dataset(twins))["duplicates across the split"]
    assert (copied.level, copied.share, copied.n) == ("leak", 1.0, 12)


def test_answers_without_an_event_before_the_cut_are_counted():
    late = [*ROWS, ("u0", "new", 5)]
    unseen = found(dataset(late))["items first seen after the cut"]
    assert unseen.level == "note"
    assert unseen.share == pytest.approx(1 / unseen.n)


def test_repeats_are_counted():
    data = dataset()
    truth = data.truth(data.test)
    assert found(data)["answers already taken"].share == pytest.approx((~truth.new).mean())


def test_ids_in_the_order_of_what_happened_are_told():
    rng = np.random.default_rng(1)
    steps = [(f"u{u}", str(100 * u + d), d) for u in range(40) for d in range(6)]
    back = [(f"v{u}", str(100 * u + d), d % 3) for u in range(40) for d in range(6)]
    shuffled = {str(n): str(v) for n, v in enumerate(rng.permutation(4000))}
    assert found(dataset(steps + back))["order of ids"].level == "note"
    mixed = [(u, shuffled[i], d) for u, i, d in steps + back]
    assert found(dataset(mixed))["order of ids"].level == "ok"


def test_a_user_without_a_known_history_has_no_last_item_to_step_from():
    # u1 took only an item that is too rare to be known, after u0 whose last item is 10
    rows = [("u0", "10", 0), ("u0", "10", 1), ("u2", "11", 0), ("u2", "11", 1), ("u1", "99", 0)]
    rows += [("u1", "11", 5), ("u2", "10", 5)]
    data = split.build(canonical(rows), items(["10", "11", "99"]), SplitConfig(test_days=2, min_item_events=2))
    told = found(data)["order of ids"]
    assert (told.n, told.share) == (1, 0)
