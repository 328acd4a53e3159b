from dataclasses import fields
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frames import canonical, items
from recloop.config import SplitConfig
from recloop.data import split
from recloop.data.dataset import Dataset
from recloop.data.features import pair_features, profiles
from recloop.data.habits import habits
from recloop.data.rhythm import rhythm
from recloop.data.statistics import item_statistics
from recloop.errors import BadData
from recloop.models.task import past_of

END = datetime(2024, 1, 31, tzinfo=UTC)
CONFIG = SplitConfig(test_days=7, min_item_events=1)
PAST = [("u1", "a", 1), ("u1", "b", 2), ("u2", "a", 3), ("u2", "a", 20), ("u3", "c", 5), ("u1", "a", 10)]
CUT = 23


def build(rows, config=CONFIG, previous=None):
    ids = sorted({item for _, item, _ in rows})
    return split.build(canonical(rows), items(ids), config, end=END, previous=previous)


def learnt(dataset):
    """Everything that training reads, as bytes."""
    past = past_of(dataset, dataset.test)
    statistics = item_statistics(past, dataset.catalogue)
    habit = habits(past, len(statistics))
    nothing = np.zeros(len(habit.rows), dtype=np.float32)
    features = pair_features(
        rows=habit.rows,
        items=habit.items,
        habit=habit,
        own=rhythm(past, habit.pairs),
        profile=profiles(past, statistics),
        statistics=statistics,
        item_knn=nothing,
        linear=nothing,
        sasrec=nothing,
        sasrec_known=nothing,
    )
    arrays = [getattr(part, f.name) for part in (past, statistics) for f in fields(part)]
    return dataset.users.ids, dataset.items.ids, [a.tobytes() for a in (*arrays, features)]


later = st.lists(
    st.tuples(st.sampled_from(["u1", "u2", "u9"]), st.sampled_from(["a", "b", "c", "z"]), st.integers(CUT + 1, 29)),
    max_size=8,
)


visit = st.lists(st.sampled_from(["a", "b", "c", "z"]), min_size=1, max_size=5).map(
    lambda items: [("u1", item, 9) for item in items]
)


@settings(max_examples=40, deadline=None)
@given(first=later, second=later)
def test_nothing_at_or_after_the_cut_changes_what_is_learnt(first, second):
    assert learnt(build(PAST + first)) == learnt(build(PAST + second))


def test_windows_lie_beside_each_other_newest_first():
    test, *earlier = build(PAST).windows(2)
    assert test.end[1] == int(END.timestamp())
    assert np.array_equal(test.start, earlier[0].end)
    assert np.array_equal(earlier[0].start, earlier[1].end)


def test_leaving_the_last_visit_out_gives_each_user_a_cut():
    config = SplitConfig(kind="leave_last_out", test_days=7, min_item_events=1)
    dataset = build(PAST, config)
    truth = dataset.truth(dataset.test)
    found = {
        dataset.users.ids[u - 1]: dataset.items.ids[i - 1]
        for u, i in zip(truth.users[truth.rows], truth.items, strict=True)
    }
    assert found == {"u1": "a", "u2": "a"}
    past = past_of(dataset, dataset.test, truth.users)
    assert past.lengths.tolist() == [2, 1]


@settings(max_examples=40, deadline=None)
@given(first=visit, second=visit)
def test_no_visit_that_is_left_out_is_learnt_from(first, second):
    config = SplitConfig(kind="leave_last_out", test_days=7, min_item_events=1)
    base = [("u1", "a", 1), ("u1", "b", 2), ("u2", "a", 3), ("u2", "c", 4), ("u2", "a", 8)]
    assert learnt(build([*base, *first], config)) == learnt(build([*base, *second], config))


def test_strangers_with_one_visit_each_are_nobody_in_the_answers():
    config = SplitConfig(kind="leave_last_out", test_days=7, min_item_events=1)
    dataset = build([*PAST, ("u8", "a", 4), ("u9", "b", 21)], config)
    assert "u8" not in dataset.users.ids
    assert dataset.truth(dataset.test).users.min() > 0


def test_truth_marks_what_is_new_and_keeps_unknown_items_as_misses():
    dataset = build([*PAST, ("u1", "a", 25), ("u1", "c", 25), ("u2", "z", 26), ("u9", "a", 27)])
    truth = dataset.truth(dataset.test)
    rows = {
        (dataset.users.ids[truth.users[r] - 1], int(i) and dataset.items.ids[i - 1]): bool(new)
        for r, i, new in zip(truth.rows, truth.items, truth.new, strict=True)
    }
    assert rows == {("u1", "a"): False, ("u1", "c"): True, ("u2", 0): True}
    assert truth.spend.tolist() == [2.0, 2.0, 2.0]


def test_known_codes_keep_their_meaning_when_the_vocabulary_grows():
    first = build(PAST)
    grown = build([("u0", "0-new", 1), *PAST], previous=(first.users, first.items))
    assert grown.items.ids[: len(first.items)] == first.items.ids
    assert grown.users.ids == (*first.users.ids, "u0")
    assert grown.items.ids[-1] == "0-new"


def test_it_comes_back_from_its_folder(tmp_path):
    dataset = build(PAST)
    dataset.save(tmp_path)
    again = Dataset.load(tmp_path)
    assert again.events.equals(dataset.events)
    assert (again.users, again.items, again.split) == (dataset.users, dataset.items, dataset.split)


def test_rare_items_are_outside_the_vocabulary():
    dataset = build(PAST, SplitConfig(test_days=7, min_item_events=3))
    assert dataset.items.ids == ("a",)
    assert dataset.events.filter(pl.col("item") == 0)["item_id"].unique().sort().to_list() == ["b", "c"]


def test_too_little_history_says_what_to_lower():
    with pytest.raises(BadData, match="min_item_events"):
        build(PAST, SplitConfig(test_days=7, min_item_events=50))
