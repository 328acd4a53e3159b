import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recloop.evaluation.experiments.interleaving import draft

lists = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(lists, lists, st.integers(1, 10), st.integers(0, 100))
def test_a_draft_has_no_item_twice_and_teams_of_about_one_size(first, second, k, seed):
    own = draft(first, second, k=k, rng=np.random.default_rng(seed))
    assert len(set(own.items)) == len(own.items) == min(k, len({*first, *second}))
    if {*first} == {*second}:
        assert abs(sum(1 if team else -1 for team in own.teams)) <= 1


def test_each_team_brings_its_best_that_is_left():
    own = draft("abcd", "bxyz", k=4, rng=np.random.default_rng(0))
    for team, ranking in enumerate(("abcd", "bxyz")):
        brought = [ranking.index(item) for item, who in zip(own.items, own.teams, strict=True) if who == team]
        assert brought == sorted(brought)
    assert {*own.items} == {"a", "b", "x", "c"} or {*own.items} == {"a", "b", "x", "y"}


def test_equal_rankings_are_preferred_equally():
    rng = np.random.default_rng(1)
    teams = [dict(zip(*vars(draft("abcd", "abcd", k=3, rng=rng)).values(), strict=True))["a"] for _ in range(1_000)]
    assert abs(np.mean(teams) - 0.5) < 0.05
