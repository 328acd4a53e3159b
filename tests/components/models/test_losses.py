import math

import pytest
import torch

from recloop.models import losses
from recloop.models.losses import fast_sampled_softmax, full_softmax, sampled_softmax

VECTORS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])
STATES = torch.tensor([[0.5, -1.0], [2.0, 0.25]])


def test_with_every_item_as_a_negative_it_is_the_full_softmax():
    targets = torch.tensor([1, 3])
    uniform = torch.full((4,), -0.7)
    found = sampled_softmax(STATES, targets, torch.arange(4), VECTORS, uniform)
    full = torch.nn.functional.cross_entropy(STATES @ VECTORS.T, targets, reduction="sum")
    assert found.item() == pytest.approx(full.item(), rel=1e-5)


def test_the_log_of_the_expected_count_is_taken_off_target_and_negatives():
    log_q = torch.log(torch.tensor([1.0, 0.5, 4.0, 1.0]))
    found = sampled_softmax(STATES[:1], torch.tensor([1]), torch.tensor([2, 2]), VECTORS, log_q)
    target, other = math.exp(0.5) / 0.5, math.exp(-2.0) / 4
    assert found.item() == pytest.approx(-math.log(target / (target + 2 * other)), rel=1e-5)


def test_a_negative_that_is_the_target_is_left_out_of_its_own_row_only():
    both = sampled_softmax(STATES, torch.tensor([1, 2]), torch.tensor([1, 3]), VECTORS, torch.zeros(4))
    first = sampled_softmax(STATES[:1], torch.tensor([1]), torch.tensor([3]), VECTORS, torch.zeros(4))
    second = sampled_softmax(STATES[1:], torch.tensor([2]), torch.tensor([1, 3]), VECTORS, torch.zeros(4))
    assert both.item() == pytest.approx(first.item() + second.item(), rel=1e-5)


def test_no_target_gives_zero_with_a_gradient():
    vectors = VECTORS.clone().requires_grad_()
    none = torch.zeros(0, dtype=torch.long)
    loss = sampled_softmax(torch.zeros(0, 2, requires_grad=True), none, torch.tensor([1]), vectors, torch.zeros(4))
    loss.backward()
    assert loss.item() == 0
    assert vectors.grad is not None
    assert not vectors.grad.any()


def gradients(loss, *leaves):
    own = [leaf.clone().requires_grad_() for leaf in leaves]
    (loss(*own) * 0.5).backward()
    return [leaf.grad for leaf in own]


@pytest.mark.parametrize("cells", [7, 1 << 20])
def test_the_fast_sampled_loss_and_its_gradients_are_those_of_the_slow_one(monkeypatch, cells):
    monkeypatch.setattr(losses, "CELLS", cells)
    targets, negatives = torch.tensor([1, 3, 2, 3]), torch.tensor([3, 1, 3, 1, 2])
    log_q, states = torch.tensor([0.0, -0.5, 1.0, 0.25]), torch.cat([STATES, STATES * 0.7])

    def fast(s, v):
        return fast_sampled_softmax(s, targets, negatives, v, log_q)

    def slow(s, v):
        return sampled_softmax(s, targets, negatives, v, log_q)

    assert fast(states, VECTORS).item() == pytest.approx(slow(states, VECTORS).item(), rel=1e-5)
    for a, b in zip(gradients(fast, states, VECTORS), gradients(slow, states, VECTORS), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("cells", [3, 1 << 20])
def test_the_full_softmax_is_torchs_cross_entropy_without_padding(monkeypatch, cells):
    monkeypatch.setattr(losses, "CELLS", cells)
    targets = torch.tensor([1, 3])

    def peer(s, v):
        return torch.nn.functional.cross_entropy(s @ v[1:].T, targets - 1, reduction="sum")

    def own(s, v):
        return full_softmax(s, targets, v)

    assert own(STATES, VECTORS).item() == pytest.approx(peer(STATES, VECTORS).item(), rel=1e-5)
    for a, b in zip(gradients(own, STATES, VECTORS), gradients(peer, STATES, VECTORS), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_great_logits_do_not_overflow():
    states = torch.tensor([[400.0, 0.0]])
    assert full_softmax(states, torch.tensor([1]), VECTORS).item() == pytest.approx(0, abs=1e-3)
    assert full_softmax(states, torch.tensor([3]), VECTORS).item() == pytest.approx(800, rel=1e-5)
