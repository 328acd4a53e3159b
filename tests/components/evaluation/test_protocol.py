from dataclasses import asdict, fields, replace

import pytest

from recloop.errors import BadData
from recloop.evaluation.protocol import Benchmark, Protocol, same

PROTOCOL = Protocol(kind="temporal", start=0, end=100, k=10, min_item_events=1)


@pytest.mark.parametrize("name", [field.name for field in fields(Protocol)])
def test_each_part_of_a_protocol_changes_its_hash(name):
    now = getattr(PROTOCOL, name)
    other = replace(PROTOCOL, **{name: now + 1 if isinstance(now, int) else f"{now}, but other"})
    assert other.hash != PROTOCOL.hash


def test_equal_protocols_have_one_hash_that_does_not_change_from_run_to_run():
    assert replace(PROTOCOL).hash == PROTOCOL.hash == "6ac9e6edb070"


def test_figures_of_two_protocols_cannot_stand_in_one_table():
    same("abc", "abc")
    with pytest.raises(BadData, match="Figures of protocol abc and of def cannot stand in one table"):
        same("abc", "def")


BENCHMARK = Benchmark(**asdict(PROTOCOL), data="abc", learnt="the past", repeats=False)


@pytest.mark.parametrize("name", [field.name for field in fields(Benchmark)])
def test_each_part_of_a_benchmark_changes_its_hash(name):
    now = getattr(BENCHMARK, name)
    changed = not now if isinstance(now, bool) else now + 1 if isinstance(now, int) else f"{now}, but other"
    assert replace(BENCHMARK, **{name: changed}).hash != BENCHMARK.hash


def test_a_benchmark_is_never_the_protocol_without_its_data():
    assert BENCHMARK.hash != PROTOCOL.hash
