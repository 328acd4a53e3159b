import subprocess
import sys
from typing import NamedTuple

import pytest
from safetensors.torch import load_file

import shared_fits

HALF = 7
"""steps before four processes hand over to two: in the first epoch's end"""


class Fits(NamedTuple):
    """What one process learnt, and what four and then two did."""

    one: dict
    four: dict
    two: dict
    weights: tuple


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    alone, shared = tmp_path_factory.mktemp("alone"), tmp_path_factory.mktemp("shared")
    shared_fits.fit(alone, processes=1)
    codes = [
        subprocess.run(
            [sys.executable, shared_fits.__file__, str(shared), str(processes), str(end)],
            check=False,
            capture_output=True,
            timeout=300,
        ).returncode
        for processes, end in ((4, HALF), (2, -1))
    ]
    assert codes[0] != 0
    assert codes[1] == 0
    weights = tuple(load_file(place / "sasrec.safetensors") for place in (alone, shared))
    return Fits(shared_fits.told(alone, 1), shared_fits.told(shared, 4), shared_fits.told(shared, 2), weights)


@pytest.mark.slow
def test_four_processes_have_the_loss_of_one_at_every_step(learnt):
    assert sorted(learnt.four) == list(range(HALF))
    assert [learnt.four[n][0] for n in range(HALF)] == pytest.approx([learnt.one[n][0] for n in range(HALF)], abs=1e-4)


@pytest.mark.slow
def test_no_sequence_is_lost_or_seen_twice_by_four_processes(learnt):
    assert [learnt.four[n][1] for n in range(HALF)] == [learnt.one[n][1] for n in range(HALF)]


@pytest.mark.slow
def test_two_processes_go_on_with_what_four_began(learnt):
    rest = sorted(set(learnt.one) - set(range(HALF)))
    assert sorted(learnt.two) == rest
    assert [learnt.two[n][1] for n in rest] == [learnt.one[n][1] for n in rest]
    assert [learnt.two[n][0] for n in rest] == pytest.approx([learnt.one[n][0] for n in rest], abs=1e-3)
    alone, shared = learnt.weights
    assert shared["net.items.weight"].numpy() == pytest.approx(alone["net.items.weight"].numpy(), abs=2e-3)
