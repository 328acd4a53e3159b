import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from contracts import check_recommender
from recloop.config import MultiTaskConfig
from recloop.models import family
from recloop.models.clicks_fit import Rows
from recloop.models.mmoe_fit import LEAST, LogValue, MMoE
from recloop.models.task import past_of
from shop_datasets import MODEL, canonical, dataset, fit, task

TASKS = MultiTaskConfig(experts=2, hidden=(8, 4), tower=4, batch=256, epochs=2, lr=0.02)
CONFIG = MODEL.model_copy(update={"kind": "multi_task", "multi_task": TASKS})


@pytest.fixture(scope="module")
def data():
    return dataset(canonical())


@pytest.fixture(scope="module")
def fitted(data, tmp_path_factory):
    """Folder and figures."""
    made = task(data, tmp_path_factory.mktemp("mmoe"), config=CONFIG)
    made.out.mkdir()
    made.work.mkdir()
    return made.out, family.fit("multi_task", made)


@pytest.fixture(scope="module")
def folder(fitted):
    return fitted[0]


def net_of(**worth):
    """Two features, the second of which says that the user bought the item before."""
    torch.manual_seed(1)
    return MMoE(2, 1, TASKS.model_copy(update=worth)).eval()


def test_it_meets_the_contract(data, folder):
    model = family.load(folder)
    check_recommender(model, past_of(data, data.test, np.arange(1, 25, dtype=np.int32)), model.n_codes)


def test_a_warm_start_goes_on_from_the_older_weights(data, folder, tmp_path):
    told = []
    warm = fit(data, tmp_path, config=CONFIG, warm=folder, told=told)
    assert not any("afresh" in what for what in told)
    name = "mmoe.safetensors"
    old, new = load_file(folder / name), load_file(warm / name)
    assert np.array_equal(old["mean"], new["mean"])
    assert not np.array_equal(old["gates.weight"], new["gates.weight"])


def test_the_same_seed_writes_the_same_bytes(data, folder, tmp_path):
    again = fit(data, tmp_path, config=CONFIG)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in again.iterdir()}


def test_every_task_is_reported(fitted):
    assert set(fitted[1]) == {"auc", "log_loss", "new_auc", "new_log_loss", "spend_log_rmse"}


def test_the_value_is_the_worth_of_what_is_expected():
    features = torch.tensor([[0.3, 0.0], [0.3, 1.0]])
    net = net_of(purchase_value=2.0, new_value=3.0, spend_value=5.0)
    net.money.fill_(4.0)
    with torch.no_grad():
        out = net(features)
        taken, new, money = torch.sigmoid(out[:, 0]), torch.sigmoid(out[:, 1]), 4 * torch.exp(out[:, 2])
        wanted = 2 * taken + 3 * new * torch.tensor([1.0, 0.0]) + 5 * taken * money
        assert torch.allclose(net.value(features), wanted)
        assert torch.allclose(LogValue(net)(features), torch.log(wanted + LEAST))


def test_pairs_that_the_user_knows_teach_nothing_about_the_new():
    net = net_of()
    ones = torch.ones(2)
    batch = Rows(0, torch.rand(2, 2), ones, ones, ones, ones, 0 * ones, ones < 0, ones, 2)
    net.losses(batch).sum().backward()
    assert net.towers[1][-1].bias.grad == 0
    assert net.towers[0][-1].bias.grad != 0


def test_the_spend_task_learns_the_mean_of_what_is_paid():
    net = net_of()
    net.money.fill_(2.0)
    features, spend = torch.zeros(4, 2), torch.tensor([1.0, 9.0, 0.0, 2.0])
    labels = torch.tensor([1.0, 1, 0, 1])
    ones = torch.ones(4)
    batch = Rows(0, features, ones, ones, ones, labels, spend, ones > 0, ones, 4)
    adam = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(200):
        adam.zero_grad()
        net.losses(batch).sum().backward()
        adam.step()
    with torch.no_grad():
        assert 2 * torch.exp(net(features)[0, 2]) == pytest.approx(4.0, rel=0.02)
        assert torch.sigmoid(net(features)[0, 0]) == pytest.approx(0.75, rel=0.02)
