import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from contracts import check_recommender
from frames import DAY, NOW, catalogue, histories
from recloop.config import TwoTowerConfig
from recloop.data.statistics import item_statistics
from recloop.errors import BadArtifact, BadData
from recloop.models import family
from recloop.models.clicks_fit import gone_on
from recloop.models.task import past_of
from recloop.models.two_tower import views
from recloop.models.two_tower_fit import TwoTowerNet, plan_of
from shop_datasets import MODEL, canonical, dataset, fit

CONFIG = TwoTowerConfig(dim=8, length=4, hidden=8, negatives=6, batch=8, epochs=2, warm_epochs=1, lr=0.01, clock=True)
KIND = MODEL.model_copy(
    update={"kind": "two_tower", "two_tower": CONFIG.model_copy(update={"batch": 256, "negatives": 16})}
)


@pytest.fixture(scope="module")
def data():
    return dataset(canonical())


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    return fit(data, tmp_path_factory.mktemp("two_tower"), config=KIND)


def net_of(n=6, config=CONFIG):
    torch.manual_seed(1)
    return TwoTowerNet(item_statistics(histories([(1, 2), (n, 1)]), catalogue(n)), config).eval()


def test_it_meets_the_contract(data, folder):
    model = family.load(folder)
    past = past_of(data, data.test, np.arange(1, 25, dtype=np.int32))
    check_recommender(model, past, model.n_codes)


def test_a_row_without_a_history_gets_a_list(folder):
    found = family.load(folder).recommend(histories([]), k=3)
    assert (found.items > 0).all()


def test_the_same_seed_writes_the_same_bytes(data, folder, tmp_path):
    again = fit(data, tmp_path, config=KIND)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in again.iterdir()}


def test_a_warm_start_goes_on_from_the_older_weights(data, folder, tmp_path):
    told = []
    warm = fit(data, tmp_path, config=KIND, warm=folder, told=told)
    assert not any("afresh" in what for what in told)
    assert (warm / "item_vectors.npy").read_bytes() != (folder / "item_vectors.npy").read_bytes()


def test_a_view_is_the_last_events_before_the_moment():
    past = histories([(1, 9), (2, 8), (3, 2)], [(4, 1)])
    found = views(
        past.items,
        past.times,
        starts=np.array([0, 3, 3]),
        ends=np.array([3, 4, 3]),
        now=np.full(3, NOW),
        length=2,
        clock=False,
    )
    assert found.items.tolist() == [[2, 3], [0, 4], [0, 0]]
    assert found.ages.tolist() == [[8, 2], [0, 1], [0, 0]]
    assert found.context[:, 0] == pytest.approx(np.log1p([2, 1, 0]))


def test_the_clock_comes_round_after_a_day_and_a_week():
    now = np.array([0, 7 * DAY, DAY, 6 * 3600], dtype=np.int64)
    none = np.zeros(4, dtype=np.int64)
    found = views(none[:0].astype(np.int32), none[:0], starts=none, ends=none, now=now, length=2, clock=True).context
    assert found[0] == pytest.approx(found[1], abs=1e-5)
    assert found[0, 2:4] == pytest.approx(found[2, 2:4], abs=1e-5)
    assert not np.allclose(found[0, 4:], found[2, 4:])
    assert found[3, 2:4] == pytest.approx([1, 0], abs=1e-5)


def test_an_example_sees_nothing_of_its_own_visit():
    past = histories([(1, 9), (2, 5), (3, 5), (4, 1)], [(5, 3), (6, 3)])
    plan = plan_of(past, CONFIG, 7, 1, 1)
    batch = plan.moments(np.arange(len(plan.at)), 0, np.arange(len(plan.at)))
    assert batch.targets.tolist() == [2, 3, 4]
    assert batch.items.tolist() == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 1, 2, 3]]
    assert batch.target_ages.tolist() == [0, 0, 0]


def test_without_repeats_only_first_times_are_seen_and_foretold():
    past = histories([(1, 9), (1, 7), (2, 5), (1, 4)])
    assert plan_of(past, CONFIG, 3, 1, 1).past.items.tolist() == [1, 2]
    assert plan_of(past, CONFIG.model_copy(update={"repeats": True}), 3, 1, 1).past.items.tolist() == [1, 1, 2, 1]


def test_an_item_is_as_old_as_its_first_event_by_anyone():
    past = histories([(1, 9), (2, 5)], [(2, 8), (1, 2)])
    plan = plan_of(past, CONFIG, 3, 1, 1)
    batch = plan.moments(np.arange(2), 0, np.arange(2))
    assert dict(zip(batch.targets.tolist(), batch.target_ages.tolist(), strict=True)) == {2: 3.0, 1: 7.0}


def test_the_share_of_a_draw_is_expected_of_batch_and_negatives():
    past = histories([(1, 9), (2, 5)], [(1, 9), (2, 5)], [(2, 9), (1, 5)])
    plan = plan_of(past, CONFIG.model_copy(update={"batch": 3, "negatives": 4}), 3, 1, 1)
    assert np.exp(plan.log_q.numpy()[1:]) == pytest.approx([1 + 2, 2 + 2])


def test_an_own_item_among_the_others_costs_nothing():
    past = histories([(1, 9), (2, 5)], [(3, 9), (2, 5)])
    plan = plan_of(past, CONFIG.model_copy(update={"batch": 2, "negatives": 1}), 4, 1, 1)
    batch = plan.moments(np.arange(2), 0, np.arange(2))._replace(negatives=torch.tensor([2]))
    with torch.no_grad():
        assert float(plan.loss(net_of(3), batch, 1)) == pytest.approx(0, abs=1e-6)


def test_devices_share_a_step_and_its_negatives():
    past = histories(*[[(1 + n % 5, 9), (1 + (n + 2) % 5, 5)] for n in range(20)])
    plan = plan_of(past, CONFIG, 6, 1, 1)
    whole, parts = next(plan.batches(0, rank=0, world=1)), [next(plan.batches(0, rank=r, world=2)) for r in (0, 1)]
    for name in ("items", "targets", "context"):
        assert torch.equal(getattr(whole, name)[0::2], getattr(parts[0], name))
        assert torch.equal(getattr(whole, name)[1::2], getattr(parts[1], name))
    assert torch.equal(whole.negative_ages, parts[1].negative_ages)


def test_padding_does_not_move_a_user():
    net = net_of()
    items, ages = torch.tensor([[0, 0, 2, 3]]), torch.tensor([[5.0, 5.0, 2.0, 1.0]])
    other = torch.tensor([[0.0, 0.0, 2.0, 1.0]])
    context = torch.zeros(1, 6)
    assert torch.allclose(net(items, ages, context), net(items, other, context))


def test_recent_items_weigh_more():
    net = net_of(config=CONFIG.model_copy(update={"half_lives_days": (1.0,)}))
    stems = net.stem(torch.tensor([2, 3]))
    with torch.no_grad():
        for layer in (net.user[2].weight, net.user[2].bias):
            layer.zero_()
        net.skip.copy_(torch.tensor([1.0, 0.0]))
        user = net(torch.tensor([[0, 0, 2, 3]]), torch.tensor([[0.0, 0, 3, 0]]), torch.zeros(1, 6))
    wanted = torch.nn.functional.normalize((stems[0] / 8 + stems[1])[None], dim=1) / CONFIG.temperature
    assert torch.allclose(user, wanted, atol=1e-4)


def test_one_visit_each_is_nothing_to_learn_from():
    with pytest.raises(BadData, match="none of 2 users has two visits"):
        plan_of(histories([(1, 3), (2, 3)], [(2, 1)]), CONFIG, 3, 1, 1)


def saved(net, path):
    save_file(net.state_dict(), path)
    return path


def test_a_grown_catalogue_keeps_the_rows_of_known_codes(tmp_path):
    old, new = net_of(6), net_of(7)
    torch.nn.init.normal_(new.items.weight)
    own = new.items.weight[7].clone()
    assert gone_on(new, saved(old, tmp_path / "old"))
    assert torch.equal(new.items.weight[:7], old.items.weight)
    assert torch.equal(new.items.weight[7], own)
    assert torch.equal(new.user[0].weight, old.user[0].weight)


def test_other_sizes_are_passed_over_and_a_greater_catalogue_is_refused(tmp_path):
    assert not gone_on(net_of(6), saved(net_of(6, CONFIG.model_copy(update={"dim": 4})), tmp_path / "narrow"))
    assert not gone_on(net_of(6), tmp_path / "nowhere")
    with pytest.raises(BadArtifact, match="knows 7 items where the dataset has 6"):
        gone_on(net_of(6), saved(net_of(7), tmp_path / "greater"))
