import torch

from fits import CONFIG, N_CODES
from recloop.models.sasrec import SASRec
from recloop.models.sequence_net import LastState


def net():
    torch.manual_seed(0)
    return SASRec(N_CODES, CONFIG).eval()


def test_a_state_knows_nothing_of_later_items():
    made = net()
    a, b = made(torch.tensor([[3, 5, 7, 9]])), made(torch.tensor([[3, 5, 8, 1]]))
    assert torch.allclose(a[:, :2], b[:, :2], atol=1e-6)
    assert not torch.allclose(a[:, 2:], b[:, 2:], atol=1e-3)


def test_a_state_depends_on_the_order_of_what_came_before():
    made = net()
    a, b = made(torch.tensor([[3, 5, 7]])), made(torch.tensor([[5, 3, 7]]))
    assert not torch.allclose(a[:, 2], b[:, 2], atol=1e-3)


def test_padding_at_the_end_does_not_change_the_last_state():
    made = LastState(net())
    padded = made(torch.tensor([[3, 5, 0, 0], [1, 2, 3, 4]]), torch.tensor([2, 4]))
    assert torch.allclose(padded[0], made(torch.tensor([[3, 5]]), torch.tensor([2]))[0], atol=1e-6)
    assert torch.allclose(padded[1], made(torch.tensor([[1, 2, 3, 4]]), torch.tensor([4]))[0], atol=1e-6)


def test_dropout_is_drawn_in_training_only():
    made, items = net(), torch.tensor([[3, 5, 7]])
    assert torch.equal(made(items), made(items))
    made.train()
    assert not torch.equal(made(items), made(items))
