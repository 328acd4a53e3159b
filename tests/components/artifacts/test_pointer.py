import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recloop.artifacts import Pointer, current, open_store, promote
from recloop.artifacts.pointer import key
from recloop.errors import BadArtifact, Conflict


def move(store, digest, expected):
    return promote(store, "retail", release=f"s3://b/{digest}", digest=digest, expected=expected, reason="better")


def test_before_the_first_release_there_is_no_pointer(store):
    assert current(store, "retail") is None


def test_the_first_promotion_makes_generation_1(store):
    assert move(store, "d1", None) == current(store, "retail")
    assert current(store, "retail") == Pointer(generation=1, release="s3://b/d1", digest="d1", reason="better")


def test_the_pointer_remembers_the_release_before(store):
    move(store, "d1", None)
    after = move(store, "d2", 1)
    assert (after.generation, after.previous, after.previous_digest) == (2, "s3://b/d1", "d1")


def test_promoting_what_serves_changes_nothing(store):
    first = move(store, "d1", None)
    assert move(store, "d1", None) == first
    assert current(store, "retail") == first


def test_going_back_is_a_move_forward(store):
    move(store, "d1", None)
    move(store, "d2", 1)
    assert move(store, "d1", 2).generation == 3


def test_a_stale_judgement_is_refused_and_the_winner_named(store):
    move(store, "d1", None)
    move(store, "d2", 1)
    with pytest.raises(Conflict, match=r"generation 2 serves s3://b/d2, where .* generation 1"):
        move(store, "d3", 1)


def test_a_first_release_that_comes_second_is_refused(store):
    move(store, "d1", None)
    with pytest.raises(Conflict, match="judged against nothing"):
        move(store, "d2", None)


def test_scenarios_have_their_own_pointers(store):
    move(store, "d1", None)
    assert current(store, "movies") is None


def test_of_16_rival_promotions_exactly_one_wins_and_the_rest_name_it(store):
    move(store, "d0", None)
    gate = threading.Barrier(16)

    def rival(number: int) -> str:
        gate.wait()
        try:
            return move(store, f"r{number}", 1).digest
        except Conflict as error:
            return str(error)

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(rival, range(16)))
    winner = current(store, "retail")
    assert winner.generation == 2
    assert said.count(winner.digest) == 1
    assert all(winner.release in s for s in said if s != winner.digest)


def test_a_lost_answer_to_the_winning_swap_is_no_conflict(store, monkeypatch):
    swap = type(store).swap

    def lost(self, key, data, *, expected):
        swap(self, key, data, expected=expected)
        raise Conflict("retried by the client")

    monkeypatch.setattr(type(store), "swap", lost)
    assert move(store, "d1", None) == current(store, "retail")


def test_a_pointer_that_is_none_is_refused_by_name(store):
    store.write(key("retail"), b"{}")
    with pytest.raises(BadArtifact, match="releases/retail/current is no pointer"):
        current(store, "retail")
    with pytest.raises(BadArtifact, match="releases/retail/current is no pointer"):
        move(store, "d1", None)


MOVES = st.lists(st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.integers(-1, 1)), max_size=12)


@given(MOVES)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generations_only_grow_and_every_move_keeps_the_one_before(tmp_path_factory, moves):
    store = open_store(str(tmp_path_factory.mktemp("store")))
    for digest, slip in moves:
        before = current(store, "retail")
        expected = (before.generation if before else 0) + slip
        try:
            after = move(store, digest, expected or None)
        except Conflict:
            assert slip != 0
            assert current(store, "retail") == before
            continue
        if before and before.digest == digest:
            assert after == before
        else:
            assert after.generation == (before.generation if before else 0) + 1
            assert after.previous == (before.release if before else None)
