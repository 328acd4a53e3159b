from dataclasses import dataclass, field

import pytest
import torch

from fits import CONFIG, N_CODES, TrainerConfig, walks
from recloop.models.fit import ADAM, Optimiser, train
from recloop.models.sasrec import SASRec
from recloop.models.sasrec_fit import plan_of


@dataclass
class Scores:
    """A watch whose looks find the scores given; a negative one is a crash, nothing left is zero."""

    found: list[float]
    patience: int = 0
    every: int = 5
    seen: list[torch.Tensor] = field(default_factory=list)

    def score(self, net):
        assert not net.training
        self.seen.append(net.items.weight.detach().clone())
        if self.found and self.found[0] < 0:
            raise KeyboardInterrupt
        return self.found.pop(0) if self.found else 0.0


def rising(every):
    return Scores([float(n) for n in range(100)], every=every)


def fit(place, watch, optimiser=ADAM, seconds=30.0):
    place.mkdir(exist_ok=True)
    torch.manual_seed(0)
    net = SASRec(N_CODES, CONFIG)
    plan = plan_of(walks(), N_CODES, CONFIG, 4, 1)
    trainer = TrainerConfig(threads=1, checkpoint_seconds=seconds)
    return net, train(net, plan, name="n", trainer=trainer, work=place, watch=watch, optimiser=optimiser)


def test_the_weights_of_the_best_look_are_kept(tmp_path):
    watch = Scores([0.1, 0.3, 0.2, 0.25, 0.1, 0.3, 0.1, 0.1])
    net, found = fit(tmp_path, watch)
    assert found == {"score": 0.3, "step": 10.0}
    assert torch.equal(net.items.weight, watch.seen[1])
    assert not torch.equal(watch.seen[1], watch.seen[2])


def test_the_last_step_is_looked_at_wherever_it_lies(tmp_path):
    steps = plan_of(walks(), N_CODES, CONFIG, 4, 1).steps
    _, found = fit(tmp_path, Scores([0.1, 0.2], every=steps - 1))
    assert found == {"score": 0.2, "step": float(steps)}


def test_a_fit_without_a_better_look_for_as_long_as_its_patience_stops(tmp_path):
    watch = Scores([0.1, 0.3, 0.2, 0.2, 0.9], patience=2)
    _, found = fit(tmp_path, watch)
    assert found["step"] == 10
    assert watch.found == [0.9]


def test_a_stopped_fit_is_not_gone_on_with(tmp_path):
    first, _ = fit(tmp_path, Scores([0.1, 0.3, 0.2, 0.2], patience=2))
    again, found = fit(tmp_path, Scores([], patience=2))
    assert found == {"score": 0.3, "step": 10.0}
    assert torch.equal(again.items.weight, first.items.weight)


@pytest.mark.parametrize("scores", [[0.1, 0.3, 0.2, -1], [0.1, 0.3, -1]])
def test_a_killed_fit_remembers_what_it_kept(tmp_path, scores):
    whole, expected = fit(tmp_path / "whole", Scores([0.1, 0.3, 0.2, 0.25], patience=2))
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(tmp_path / "killed", Scores(scores, patience=2), seconds=1e-9)
    rest = [0.1, 0.3, 0.2, 0.25][len(scores) - 1 :]
    resumed, found = fit(tmp_path / "killed", Scores(rest, patience=2))
    assert found == expected
    assert torch.equal(resumed.items.weight, whole.items.weight)


def test_a_look_changes_nothing_of_the_learning(tmp_path):
    watched = rising(3)
    a, _ = fit(tmp_path / "a", watched)
    b, found = fit(tmp_path / "b", None)
    assert found == {}
    assert torch.equal(a.items.weight, b.items.weight)


def test_the_learning_rate_warms_up_and_falls_or_stays():
    assert [Optimiser().rate(2.0, step, 200) for step in (0, 49, 100)] == pytest.approx([0.04, 2 * (1 - 49 / 200), 1.0])
    assert Optimiser(schedule="constant").rate(2.0, 199, 200) == 2.0


def test_every_optimiser_is_resumed_where_it_was(tmp_path):
    optimiser = Optimiser(fused=True, weight_decay=0.5, schedule="constant")
    whole, _ = fit(tmp_path / "whole", None, optimiser)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(tmp_path / "killed", Scores([-1.0], every=7), optimiser, seconds=1e-9)
    again, _ = fit(tmp_path / "killed", rising(7), optimiser)
    assert torch.equal(again.items.weight, whole.items.weight)
