import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recloop.serving.state import State


def event(user="u1", item="a", time=0.0, **more):
    return {"kind": "event", "user_id": user, "item_id": item, "event": "purchase", "time": time} | more


def items(history, bundle):
    return [bundle.catalogue.ids[code] for code in history.items]


@pytest.fixture
def later(bundle):
    """Function: seconds after the snapshot's end -> a moment."""
    return lambda seconds: bundle.end + seconds


def test_an_event_is_in_the_next_history(bundle, later):
    state = State()
    before = state.history(bundle, "u1", [], later(20))
    state.add(event(time=later(10), price=3.0, quantity=2.0, discount=0.5, store_id="292"))
    after = state.history(bundle, "u1", [], later(20))
    assert len(after.items) == len(before.items) + 1
    last = (after.times[-1], after.prices[-1], after.quantities[-1], after.discounts[-1], after.stores[-1])
    assert last == (later(10), 3.0, 2.0, 0.5, 40)
    assert after.offsets.tolist() == [0, len(after.items)]


def test_the_journal_is_replayed_at_the_start_and_answers_are_no_events(bundle, later):
    state = State([{"kind": "answer", "user_id": "x"}, event(user="x", time=later(1))])
    assert items(state.history(bundle, "x", [], later(2)), bundle) == ["a"]


def test_a_late_event_finds_its_place_by_time(bundle, later):
    state = State()
    for item, at in (("a", 1), ("c", 3), ("b", 2)):
        state.add(event(user="x", item=item, time=later(at)))
    assert items(state.history(bundle, "x", [], later(9)), bundle) == ["a", "b", "c"]


def test_an_event_from_before_the_snapshots_end_that_it_lacks_is_inserted(bundle):
    state = State()
    history = state.history(bundle, "u1", [], bundle.end)
    middle = int(history.times[3]) + 1
    state.add(event(item="l", time=middle))
    found = state.history(bundle, "u1", [], bundle.end)
    assert len(found.items) == len(history.items) + 1
    assert items(found, bundle)[found.times.tolist().index(middle)] == "l"


def test_an_event_that_the_snapshot_holds_is_not_counted_twice(bundle):
    state = State()
    history = state.history(bundle, "u1", [], bundle.end)
    state.add(event(item=bundle.catalogue.ids[history.items[3]], time=float(history.times[3]) + 0.7))
    found = state.history(bundle, "u1", [], bundle.end)
    assert found.items.tolist() == history.items.tolist()


def test_events_at_or_after_the_moment_are_unseen(bundle, later):
    state = State([event(user="x", time=later(5))])
    assert len(state.history(bundle, "x", [], later(5)).items) == 0
    assert len(state.history(bundle, "x", [], later(6)).items) == 1
    early = int(state.history(bundle, "u0", [], bundle.end).times[10])
    assert (state.history(bundle, "u0", [], early).times < early).all()


def test_items_outside_the_vocabulary_do_not_enter(bundle, later):
    state = State([event(user="x", item="new", time=later(1))])
    assert items(state.history(bundle, "x", ["newer", "b"], later(2)), bundle) == ["b"]


def test_a_session_follows_the_history(bundle, later):
    found = State([event(user="x", time=later(1))]).history(bundle, "x", ["c", "d"], later(5))
    assert items(found, bundle) == ["a", "c", "d"]
    assert found.now.tolist() == [later(5)]


@given(st.lists(st.tuples(st.sampled_from("abcl"), st.integers(-400_000, 400_000)), max_size=30))
def test_histories_are_ordered_whole_and_before_the_moment(bundle, events):
    state = State([event(item=item, time=bundle.end + at) for item, at in events])
    now = bundle.end + 100_000
    found = state.history(bundle, "u1", [], now)
    assert (np.diff(found.times) >= 0).all()
    assert (found.times < now).all()
    lengths = {len(getattr(found, name)) for name in ("items", "times", "prices", "quantities", "discounts", "stores")}
    assert lengths == {int(found.offsets[-1])}
    assert found.items.dtype == np.int32
