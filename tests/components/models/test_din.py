import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from contracts import check_recommender
from frames import histories
from recloop.config import DINConfig
from recloop.data.statistics import item_statistics
from recloop.models import family
from recloop.models.clicks_fit import Rows
from recloop.models.din_fit import Exported, new_din
from recloop.models.task import past_of
from shop_datasets import MODEL, canonical, dataset, fit

DIN = DINConfig(
    length=5, dim=4, category_dim=2, ids=True, dropout=0.0, attention=4, hidden=(8,), batch=256, epochs=2, lr=0.02
)
CONFIG = MODEL.model_copy(update={"kind": "din", "din": DIN})


@pytest.fixture(scope="module")
def data():
    return dataset(canonical())


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    return fit(data, tmp_path_factory.mktemp("din"), config=CONFIG)


@pytest.fixture(scope="module")
def past(data):
    return past_of(data, data.test, np.arange(1, 25, dtype=np.int32))


@pytest.fixture
def net():
    """Three features, six items, a memory of four."""
    torch.manual_seed(3)
    catalogue = dataset(canonical()).catalogue.head(6)
    made = new_din(3, item_statistics(histories([(1, 2), (6, 1)]), catalogue), None, DIN)
    torch.nn.init.normal_(made.items.weight)
    return made.eval()


def logits(net, items, memory, facts=None):
    memory = torch.tensor([memory] * len(items))
    facts = torch.zeros(*memory.shape, 2) if facts is None else facts
    with torch.no_grad():
        return net.logits(net.table(), torch.zeros(len(items), 3), torch.tensor(items), memory, facts)


def test_it_meets_the_contract(folder, past):
    model = family.load(folder)
    check_recommender(model, past, model.n_codes)
    nobody = past.take(np.zeros(0, dtype=np.int64))
    assert model.recommend(nobody, k=3).items.shape == (0, 3)


def test_both_lists_are_what_one_asks_for_alone(folder, past):
    model = family.load(folder)
    every, fresh = model.recommend_twice(past, k=6)
    assert np.array_equal(every.items, model.recommend(past, k=6).items)
    assert np.array_equal(fresh.items, model.recommend(past, k=6, exclude_seen=True).items)


def test_a_warm_start_goes_on_from_the_older_weights(data, folder, tmp_path):
    told = []
    warm = fit(data, tmp_path, config=CONFIG, warm=folder, told=told)
    assert not any("afresh" in what for what in told)
    name = "din.safetensors"
    old, new = load_file(folder / name), load_file(warm / name)
    assert np.array_equal(old["mean"], new["mean"])
    assert not np.array_equal(old["layers.0.weight"], new["layers.0.weight"])


def test_the_same_seed_writes_the_same_bytes(data, folder, tmp_path):
    again = fit(data, tmp_path, config=CONFIG)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in again.iterdir()}


def test_what_a_user_had_moves_the_score_and_padding_does_not(net):
    one, other = logits(net, [1, 2], [3, 4, 0, 0]), logits(net, [1, 2], [5, 6, 0, 0])
    assert not torch.allclose(one, other, atol=1e-5)
    facts = torch.zeros(2, 4, 2)
    facts[:, 2:] = 9.0
    assert torch.equal(one, logits(net, [1, 2], [3, 4, 0, 0], facts))


def test_the_order_of_a_memory_is_in_its_facts_alone(net):
    assert torch.allclose(logits(net, [1], [3, 4, 5, 0]), logits(net, [1], [5, 0, 3, 4]), atol=1e-6)


def test_attention_depends_on_the_candidate(net):
    table = net.table()
    keys = table[torch.tensor([[3, 4]])].expand(2, -1, -1)
    weight = net.activation(table[torch.tensor([1, 2])], keys, torch.zeros(2, 2, 2))
    assert not torch.allclose(weight[0], weight[1], atol=1e-6)


def test_one_memory_a_user_serves_as_one_a_pair_learns(net):
    served = Exported(net)
    features, items, rows = torch.randn(3, 3), torch.tensor([1, 2, 3]), torch.tensor([0, 0, 1])
    memory, facts = torch.tensor([[4, 5, 0, 0], [6, 0, 0, 0]]), torch.rand(2, 4, 2)
    with torch.no_grad():
        alone = net.logits(net.table(), features, items, memory[rows], facts[rows])
        assert torch.allclose(served(features, items, rows, memory, facts), alone)


def test_it_learns_that_a_remembered_item_is_taken_by_its_companion(net):
    """Item 1 is taken by those who had 3, item 2 by those who had 4; the pair features say nothing."""
    items, memory = torch.tensor([1, 2, 1, 2]), torch.tensor([[3, 5], [3, 5], [4, 5], [4, 5]])
    labels = torch.tensor([1.0, 0, 0, 1])
    ones = torch.ones(4)
    batch = Rows(0, torch.zeros(4, 3), items, memory, torch.zeros(4, 2, 2), labels, labels, ones > 0, ones, 4)
    adam = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(150):
        adam.zero_grad()
        loss = net.losses(batch).mean()
        loss.backward()
        adam.step()
    assert loss < 0.1


@pytest.mark.parametrize(("ids", "width"), [(True, 6), (False, 2)])
def test_without_ids_and_vectors_an_item_is_its_category(ids, width):
    catalogue = dataset(canonical()).catalogue.head(6)
    made = new_din(
        3, item_statistics(histories([(1, 2), (6, 1)]), catalogue), None, DIN.model_copy(update={"ids": ids})
    )
    table = made.table()
    assert table.shape == (7, width)
    assert not table[0].any()
