import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_tensors

import ranker_fits
from ranker_fits import CONFIG, FEATURES, examples, fit
from recloop.errors import BadData
from recloop.models.encoder import session
from recloop.models.ranker import Examples, Ranker, _sampled, weights
from recloop.models.ranker_plan import RankerPlan, Rows

WEIGHTS = "ranker.safetensors"


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def run(folder, *, kill_at, processes):
    """The fit in a process of its own -> its exit code."""
    command = [sys.executable, ranker_fits.__file__, str(folder), str(kill_at), str(processes)]
    return subprocess.run(command, check=False, capture_output=True, timeout=120).returncode


@pytest.fixture(scope="module")
def champion(tmp_path_factory):
    place = tmp_path_factory.mktemp("ranker")
    fit(place / "out", place / "work")
    return place / "out"


def plan(pairs=100, *, batch=30, epochs=2, list_weight=0.25):
    made = examples(pairs)
    return RankerPlan(
        features=torch.from_numpy(made.features),
        labels=torch.from_numpy(made.labels),
        weights=torch.linspace(0.5, 2.0, pairs),
        unseen=torch.from_numpy(made.unseen),
        edges=np.arange(0, pairs + 1, 5),
        batch=batch,
        epochs=epochs,
        lr=0.01,
        seed=3,
        list_weight=list_weight,
    )


def rows(labels, unseen, of):
    """A step of one device over the given lists."""
    of = torch.tensor(of)
    kinds = torch.tensor(labels), torch.ones(len(labels)), torch.tensor(unseen)
    return Rows(
        0, torch.zeros(len(labels), 1), *kinds, of, own=int(of.max()) + 1, pairs=len(of), lists=int(of.max()) + 1
    )


class Fixed(torch.nn.Module):
    """A network that says the same logits whatever it sees."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def each(self, features):
        return self.logits[None]


def test_the_same_seed_gives_the_same_bytes_of_every_file(champion, tmp_path):
    torch.manual_seed(99)
    fit(tmp_path / "out", tmp_path / "work")
    assert sorted(contents(champion)) == ["ranker.onnx", WEIGHTS]
    assert contents(tmp_path / "out") == contents(champion)


def test_a_fit_killed_and_resumed_gives_the_bytes_of_an_uninterrupted_one(champion, tmp_path):
    assert run(tmp_path, kill_at=0.5, processes=1) == -signal.SIGKILL
    assert (tmp_path / "work" / WEIGHTS).exists()
    assert not (tmp_path / "0" / WEIGHTS).exists()
    shares = []
    fit(tmp_path / "out", tmp_path / "work", progress=lambda _, share: shares.append(share))
    assert min(shares) > 0.4
    assert contents(tmp_path / "out") == contents(champion)


def test_two_processes_learn_what_one_does(champion, tmp_path):
    assert run(tmp_path, kill_at=2.0, processes=2) == 0
    one, two, other = (load_file(place / WEIGHTS) for place in (champion, tmp_path / "0", tmp_path / "1"))
    assert all(two[name] == pytest.approx(one[name], abs=1e-5) for name in one)
    assert all(np.array_equal(two[name], other[name]) for name in one)


def test_the_graph_gives_the_logits_of_torch(champion):
    net = Ranker(FEATURES, CONFIG.hidden, CONFIG.members).eval()
    net.load_state_dict(load_tensors(champion / WEIGHTS))
    features = examples(64, seed=9).features
    with torch.no_grad():
        wanted = net(torch.from_numpy(features)).numpy()
    found = session(champion / "ranker.onnx", threads=1).run(["logit"], {"features": features})[0]
    assert found == pytest.approx(wanted, abs=1e-5)


def test_it_learns_what_is_taken_and_is_judged_on_users_it_did_not_see(tmp_path):
    quality = fit(tmp_path / "out", tmp_path / "work", config=CONFIG.model_copy(update={"epochs": 20}))
    assert quality["auc"] > 0.85
    made = examples()
    turned = np.where(made.users % 10 == 0, 1 - made.labels, made.labels).astype(np.float32)
    worse = fit(
        tmp_path / "turned",
        tmp_path / "work_turned",
        config=CONFIG.model_copy(update={"epochs": 20}),
        made=Examples(made.features, turned, made.unseen, made.users, made.spend),
    )
    assert worse["auc"] == pytest.approx(1 - quality["auc"], abs=0.1)


def test_features_are_standardised_inside_the_graph(champion):
    made = examples()
    taken = (made.users % 10 != 0) & _sampled(made, CONFIG.unseen_share, 5)
    weights = load_file(champion / WEIGHTS)
    assert weights["mean"] == pytest.approx(made.features[taken].mean(axis=0), rel=1e-4)
    assert weights["scale"] == pytest.approx(1 / (made.features[taken].std(axis=0) + 1e-3), rel=1e-4)


def test_a_feature_that_never_varies_gives_finite_weights(tmp_path):
    made = examples()
    made.features[:, 2] = 7
    fit(tmp_path / "out", tmp_path / "work", made=made)
    assert all(np.isfinite(value).all() for value in load_file(tmp_path / "out" / WEIGHTS).values())


@pytest.mark.parametrize("start", [0, 1, 3, 4, 5])
def test_batches_from_any_step_on_are_those_of_the_whole_fit(start):
    whole = list(plan().batches(0, rank=0, world=1))
    resumed = list(plan().batches(start, rank=0, world=1))
    assert [batch.step for batch in whole] == list(range(6))
    assert [batch.step for batch in resumed] == list(range(start, 6))
    assert all(torch.equal(a.features, b.features) for a, b in zip(resumed, whole[start:], strict=True))


def test_an_epoch_sees_no_pair_twice_and_the_next_is_in_another_order():
    batches = list(plan().batches(0, rank=0, world=1))
    first, second = (torch.cat([b.features[:, 0] for b in batches[n : n + 3]]) for n in (0, 3))
    assert len(first.unique()) == len(second.unique()) == 90
    assert not torch.equal(first, second)


@pytest.mark.parametrize("world", [1, 2, 4, 7])
def test_the_mean_of_the_losses_of_devices_is_the_loss_of_the_step(world):
    torch.manual_seed(0)
    net = Ranker(FEATURES, (4,), members=2)
    whole = plan().loss(net, next(plan().batches(1, rank=0, world=1)), 1)
    parts = [plan().loss(net, next(plan().batches(1, rank=rank, world=world)), world) for rank in range(world)]
    assert sum(parts).item() / world == pytest.approx(whole.item(), rel=1e-5)


def test_members_learn_by_themselves_and_their_logits_are_averaged():
    torch.manual_seed(0)
    net = Ranker(FEATURES, (4,), members=3)
    step = next(plan().batches(0, rank=0, world=1))
    apart = net.each(step.features).detach()
    assert torch.allclose(net(step.features), apart.mean(dim=0))
    assert len({round(float(logits[0]), 6) for logits in apart}) == 3
    alone = [plan().loss(Fixed(logits.tolist()), step, 1).item() for logits in apart]
    assert plan().loss(net, step, 1).item() == pytest.approx(np.mean(alone), rel=1e-5)


def test_the_softmax_of_lists_by_hand():
    batch = rows([1.0, 0.0, 0.0, 1.0, 1.0], [True, True, False, False, True], [0, 0, 0, 1, 1])
    logits = [2.0, 1.0, 0.5, -1.0, 3.0]
    pairs = plan(list_weight=0.0).loss(Fixed(logits), batch, 1).item()
    every = [np.log(np.exp(logits[:3]).sum()) - 2, np.log(np.exp(logits[3:]).sum()) - np.mean(logits[3:])]
    new = [np.log(np.exp(logits[:2]).sum()) - 2, 0.0]
    found = plan(list_weight=2.0).loss(Fixed(logits), batch, 1).item()
    assert found - pairs == pytest.approx(2 * (sum(every) + sum(new)) / 2, rel=1e-5)


def test_a_list_without_a_taken_or_a_new_item_costs_nothing():
    batch = rows([0.0, 0.0], [False, False], [0, 0])
    assert plan(list_weight=9.0).loss(Fixed([3.0, 1.0]), batch, 1) == plan(list_weight=0.0).loss(
        Fixed([3.0, 1.0]), batch, 1
    )


def test_what_was_taken_or_known_is_always_kept_and_the_rest_by_its_share():
    pairs = 6000
    labels, unseen = np.zeros(pairs, dtype=np.float32), np.ones(pairs, dtype=bool)
    labels[:100], unseen[100:200] = 1, False
    kept = _sampled(Examples(np.zeros((pairs, 1), np.float32), labels, unseen, np.arange(pairs), labels), 0.25, seed=1)
    assert kept[:200].all()
    assert kept[200:].mean() == pytest.approx(0.25, abs=0.02)


def test_a_warm_start_goes_on_from_the_older_weights(champion, tmp_path):
    still = CONFIG.model_copy(update={"lr": 1e-12})
    fit(tmp_path / "out", tmp_path / "work", config=still, warm=champion, made=examples(seed=8))
    older, newer = (load_file(place / WEIGHTS) for place in (champion, tmp_path / "out"))
    assert all(newer[name] == pytest.approx(older[name], abs=1e-6) for name in older)


def test_an_older_ranker_of_other_sizes_is_told_and_passed_over(champion, tmp_path):
    wider, told = CONFIG.model_copy(update={"hidden": (6, 4)}), []
    fit(tmp_path / "cold", tmp_path / "work_cold", config=wider)
    fit(
        tmp_path / "warm",
        tmp_path / "work_warm",
        config=wider,
        warm=champion,
        progress=lambda what, _: told.append(what),
    )
    assert contents(tmp_path / "warm") == contents(tmp_path / "cold")
    assert "other sizes" in told[0]


def test_a_folder_without_a_ranker_is_passed_over(champion, tmp_path):
    (tmp_path / "older").mkdir()
    fit(tmp_path / "out", tmp_path / "work", warm=tmp_path / "older")
    assert contents(tmp_path / "out") == contents(champion)


def test_candidates_that_nobody_took_are_nothing_to_learn_from(tmp_path):
    made = examples()
    with pytest.raises(BadData, match="none of 360 candidates was taken"):
        fit(
            tmp_path / "out",
            tmp_path / "work",
            made=Examples(made.features, 0 * made.labels, made.unseen, made.users, made.spend),
        )


def test_a_taken_pair_weighs_by_what_was_paid_as_far_as_the_settings_say():
    labels, unseen = np.array([1, 1, 0], dtype=np.float32), np.array([False, True, True])
    spend = np.array([1, 3, 0], dtype=np.float32)
    made = Examples(np.zeros((3, 1), np.float32), labels, unseen, np.arange(3), spend)
    config = CONFIG.model_copy(update={"new_weight": 4.0})
    assert weights(made, config).tolist() == [1, 4, 4]
    assert weights(made, config.model_copy(update={"spend_weight": 1.0})).tolist() == [0.5, 6, 4]
    assert weights(made, config.model_copy(update={"spend_weight": 0.5})).tolist() == [0.75, 5, 4]


def test_where_nothing_was_paid_all_taken_pairs_weigh_alike():
    made = examples()
    free = Examples(made.features, made.labels, made.unseen, made.users, 0 * made.spend)
    config = CONFIG.model_copy(update={"spend_weight": 1.0})
    assert np.array_equal(weights(free, config), weights(made, CONFIG))


def test_plain_members_do_not_see_the_context():
    net = Ranker(2, (4,), 2)
    net.sees[0, 1] = 0
    with torch.no_grad():
        before, after = net.each(torch.tensor([[1.0, 0.0], [1.0, 5.0]])).T
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_the_members_that_are_fitted_plain_are_those_of_the_config(tmp_path):
    config = CONFIG.model_copy(update={"members": 3, "plain_members": 2})
    fit(tmp_path / "out", tmp_path / "work", config=config, context=[1])
    sees = load_file(tmp_path / "out" / WEIGHTS)["sees"]
    assert sees[:, 1].tolist() == [0, 0, 1]
    assert sees[:, 0].all()
