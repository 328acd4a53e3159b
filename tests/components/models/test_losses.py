import math

import pytest
import torch

from recloop.models.losses import sampled_softmax

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
