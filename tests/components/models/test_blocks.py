import pytest
import torch

from recloop.config import Bert4RecConfig, HSTUConfig, SASRecConfig
from recloop.models.bert4rec import Bert4Rec
from recloop.models.blocks import Dropout
from recloop.models.hstu import HSTU
from recloop.models.sasrec import SASRec

SMALL = {"dim": 8, "blocks": 2, "heads": 2, "length": 6}
ITEMS, OTHER = torch.tensor([[3, 5, 7, 9]]), torch.tensor([[3, 5, 7, 1]])
LENGTHS, TIMES = torch.tensor([4]), torch.tensor([[0, 60, 4000, 90_000]])


def states(net, items=ITEMS, times=TIMES, lengths=LENGTHS):
    with torch.no_grad():
        return net.eval()(items, times, lengths)


def hstu():
    torch.manual_seed(0)
    net = HSTU(12, HSTUConfig(**SMALL))
    for block in net.blocks:
        torch.nn.init.normal_(block.bias.spans.weight)
    return net


def bert4rec():
    torch.manual_seed(0)
    return Bert4Rec(12, Bert4RecConfig(**SMALL))


@pytest.mark.parametrize("block", ["plain", "gated"])
def test_a_causal_state_knows_nothing_of_later_items(block):
    torch.manual_seed(0)
    net = SASRec(12, SASRecConfig(**SMALL, block=block))
    a, b = states(net), states(net, OTHER)
    assert torch.allclose(a[:, :3], b[:, :3], atol=1e-6)
    assert not torch.allclose(a[:, 3], b[:, 3], atol=1e-3)


def test_a_pointwise_state_knows_nothing_of_later_items():
    a, b = states(hstu()), states(hstu(), OTHER)
    assert torch.allclose(a[:, :3], b[:, :3], atol=1e-6)
    assert not torch.allclose(a[:, 3], b[:, 3], atol=1e-3)


def test_a_pointwise_state_depends_on_the_time_between_events_and_not_on_the_date():
    moved, longer = states(hstu(), times=TIMES + 500), states(hstu(), times=TIMES * 50)
    assert torch.allclose(states(hstu()), moved, atol=1e-6)
    assert not torch.allclose(states(hstu()), longer, atol=1e-3)


def test_a_gap_sees_both_sides():
    a = states(bert4rec(), torch.tensor([[3, 0, 7, 9]]))
    b = states(bert4rec(), torch.tensor([[3, 0, 7, 1]]))
    assert not torch.allclose(a[:, 1], b[:, 1], atol=1e-3)


def test_padding_is_not_seen():
    a = states(bert4rec(), torch.tensor([[3, 0, 0, 0]]), lengths=torch.tensor([2]))
    b = states(bert4rec(), torch.tensor([[3, 0]]), lengths=torch.tensor([2]))
    assert torch.allclose(a[:, :2], b, atol=1e-6)


def test_fast_dropout_loses_its_share_and_keeps_the_mean():
    torch.manual_seed(0)
    found = Dropout(0.25, fast=True).train()(torch.ones(101, 1003))
    assert (found == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert found.mean().item() == pytest.approx(1, abs=0.01)
    assert torch.equal(Dropout(0.25, fast=True).eval()(torch.ones(3)), torch.ones(3))
