import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

import fits
from fits import CONFIG, fit
from recloop.errors import BadArtifact
from recloop.models.encoder import Encoder
from recloop.models.fit import seed_draws, train

WEIGHTS = "sasrec.safetensors"


def run(folder: Path, *, kill_at: float, processes: int) -> int:
    """The fit in a process of its own -> its exit code."""
    command = [sys.executable, fits.__file__, str(folder), str(kill_at), str(processes)]
    return subprocess.run(command, check=False, capture_output=True, timeout=120).returncode


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    place = tmp_path_factory.mktemp("uninterrupted")
    fit(place / "out", place / "work")
    return place


def test_a_fit_killed_and_resumed_gives_the_bytes_of_an_uninterrupted_one(uninterrupted, tmp_path):
    assert run(tmp_path, kill_at=0.4, processes=1) == -signal.SIGKILL
    assert not (tmp_path / "0" / WEIGHTS).exists()
    left = (tmp_path / "work" / WEIGHTS).read_bytes()
    # a kill while a checkpoint is written leaves half of it under another name
    (tmp_path / "work" / "sasrec.part").write_bytes(left[:100])
    shares: list[float] = []
    resume(tmp_path, shares)
    assert min(shares) > 0.4
    assert (tmp_path / "out" / WEIGHTS).read_bytes() == (uninterrupted / "out" / WEIGHTS).read_bytes()


def resume(folder: Path, shares: list[float]) -> None:
    (folder / "out").mkdir()
    fits.fit_sasrec(
        fits.walks(),
        n_codes=fits.N_CODES,
        config=CONFIG,
        trainer=fits.TrainerConfig(threads=1),
        seed=5,
        out=folder / "out",
        work=folder / "work",
        progress=lambda _, share: shares.append(share),
    )


def test_two_processes_learn_what_one_does(tmp_path):
    assert run(tmp_path / "two", kill_at=2.0, processes=2) == 0
    fit(tmp_path / "one", tmp_path / "work", config=CONFIG.model_copy(update={"dropout": 0.0}))
    one, two, other = (Encoder.load(place) for place in (tmp_path / "one", tmp_path / "two/0", tmp_path / "two/1"))
    # the key's bias has no gradient but rounding, which Adam turns into steps: weights differ where states do not
    assert two.vectors == pytest.approx(one.vectors, abs=1e-3)
    assert two.encode(fits.walks()) == pytest.approx(one.encode(fits.walks()), abs=1e-3)
    assert np.array_equal(two.vectors, other.vectors)


def test_a_finished_fit_is_not_done_again(uninterrupted, tmp_path):
    shares: list[float] = []
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / WEIGHTS).write_bytes((uninterrupted / "work" / WEIGHTS).read_bytes())
    resume(tmp_path, shares)
    assert shares == []
    assert (tmp_path / "out" / WEIGHTS).read_bytes() == (uninterrupted / "out" / WEIGHTS).read_bytes()


def test_a_checkpoint_of_another_fit_is_not_gone_on_with(uninterrupted, tmp_path):
    other = CONFIG.model_copy(update={"lr": CONFIG.lr / 2})
    fit(tmp_path / "other", tmp_path / "work", config=other, kill_at=2.0)
    fit(tmp_path / "out", tmp_path / "work")
    assert (tmp_path / "out" / WEIGHTS).read_bytes() == (uninterrupted / "out" / WEIGHTS).read_bytes()


def test_a_checkpoint_of_other_data_of_the_same_size_is_not_gone_on_with(uninterrupted, tmp_path):
    rows = fits.walks()
    fit(tmp_path / "other", tmp_path / "work", histories=replace(rows, items=rows.items % (fits.N_CODES - 1) + 1))
    fit(tmp_path / "out", tmp_path / "work")
    assert (tmp_path / "out" / WEIGHTS).read_bytes() == (uninterrupted / "out" / WEIGHTS).read_bytes()


def test_an_unreadable_checkpoint_is_named(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / WEIGHTS).write_bytes(b"no safetensors")
    with pytest.raises(BadArtifact, match=r"sasrec\.safetensors is unreadable.*Delete it"):
        fit(tmp_path / "out", tmp_path / "work")


class Draws:
    """A plan that learns nothing and writes down the random draw of each step."""

    steps, seed, lr = 5, 3, 0.01

    def __init__(self):
        self.drawn = []

    def batches(self, start, *, rank, world):
        for step in range(start, self.steps):
            yield Step(step)

    def loss(self, net, batch, world):
        self.drawn.append(torch.rand(()).item())
        return net.weight.sum() * 0


class Step(NamedTuple):
    step: int


def test_random_draws_belong_to_the_step_and_not_to_what_was_drawn_before(tmp_path):
    plans = Draws(), Draws()
    for plan, spent in zip(plans, (1, 77), strict=True):
        torch.rand(spent)
        place = tmp_path / str(spent)
        place.mkdir()
        train(torch.nn.Linear(2, 1), plan, name="draws", trainer=fits.TrainerConfig(threads=1), work=place)
    assert plans[0].drawn == plans[1].drawn
    assert len(set(plans[0].drawn)) == Draws.steps


def test_progress_goes_up_to_the_whole(tmp_path):
    shares: list[float] = []
    (tmp_path / "work").mkdir()
    resume(tmp_path, shares)
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_draws_are_seeded_as_by_torch_and_nothing_is_kept_for_devices_that_are_not_in_use():
    torch.manual_seed(5)
    wanted, kept = torch.rand(3), len(torch.cuda._queued_calls)
    seed_draws(5, torch.device("cpu"))
    assert torch.equal(torch.rand(3), wanted)
    assert len(torch.cuda._queued_calls) == kept
