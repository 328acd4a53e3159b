import pytest
import torch
from torch import nn

from contracts import check_recommender
from recloop.config import DINConfig
from recloop.data.statistics import item_statistics
from recloop.models import family
from recloop.models.clicks import FACTS
from recloop.models.din_fit import Exported, new_din
from recloop.models.evolution import Evolution
from recloop.models.task import past_of
from shop_datasets import MODEL, canonical, dataset, fit

WIDTH, LENGTH = 3, 4
CONFIG = DINConfig(length=5, dim=4, category_dim=2, evolution=True, attention=4, hidden=(8,), batch=256, epochs=1)


@pytest.fixture
def net():
    torch.manual_seed(5)
    return Evolution(WIDTH)


@pytest.fixture
def keys():
    return torch.randn(2, LENGTH, WIDTH, generator=torch.manual_seed(6))


def facts(pairs=2):
    return torch.rand(pairs, LENGTH, FACTS, generator=torch.manual_seed(7))


def peer(net):
    """torch's own unit of the same weights; its gate says how much is kept, ours how much is new."""
    made = nn.GRUCell(WIDTH + FACTS, WIDTH)
    order = torch.tensor([*range(WIDTH, 2 * WIDTH), *range(WIDTH), *range(2 * WIDTH, 3 * WIDTH)])
    sign = torch.tensor([1.0] * WIDTH + [-1.0] * WIDTH + [1.0] * WIDTH)
    made.weight_ih.data = net.given.weight[order] * sign[:, None]
    made.weight_hh.data = net.held.weight[order] * sign[:, None]
    made.bias_ih.data, made.bias_hh.data = net.given.bias[order] * sign, torch.zeros(3 * WIDTH)
    return made


def test_wide_open_it_is_a_gated_recurrent_unit_from_the_oldest_item_to_the_newest(net, keys):
    state, cell = torch.zeros(2, WIDTH), peer(net)
    for place in reversed(range(LENGTH)):
        state = cell(torch.cat([keys[:, place], facts()[:, place]], dim=1), state)
    assert torch.allclose(net(keys, facts(), torch.ones(2, LENGTH)), state, atol=1e-6)


def test_what_attention_shuts_out_leaves_the_state_as_it_is(net, keys):
    share = torch.tensor([[0.7, 0.0, 0.4, 0.0]] * 2)
    other = keys.clone()
    other[:, [1, 3]] = 9.0
    assert torch.equal(net(keys, facts(), share), net(other, facts(), share))
    assert not net(keys, facts(), torch.zeros(2, LENGTH)).any()


def test_half_open_it_goes_half_the_way(net, keys):
    last = torch.zeros(2, LENGTH)
    last[:, 0] = 1.0
    assert torch.allclose(net(keys, facts(), last / 2), net(keys, facts(), last) / 2)


def test_a_ranker_with_evolution_serves_what_it_learnt(tmp_path):
    data = dataset(canonical())
    folder = fit(data, tmp_path, config=MODEL.model_copy(update={"kind": "din", "din": CONFIG}))
    model = family.load(folder)
    past = past_of(data, data.test, torch.arange(1, 9, dtype=torch.int32).numpy())
    check_recommender(model, past, model.n_codes)


def test_the_order_of_a_memory_counts():
    data = dataset(canonical())
    torch.manual_seed(3)
    known = item_statistics(past_of(data, data.test), data.catalogue)
    made = Exported(new_din(3, known, None, CONFIG.model_copy(update={"ids": True})).eval())
    torch.nn.init.normal_(made.ready)
    one, other = torch.tensor([[3, 4, 5, 0, 0]]), torch.tensor([[5, 4, 3, 0, 0]])
    asked = torch.zeros(1, 3), torch.tensor([1]), torch.tensor([0])
    with torch.no_grad():
        assert not torch.allclose(made(*asked, one, torch.zeros(1, 5, 2)), made(*asked, other, torch.zeros(1, 5, 2)))
