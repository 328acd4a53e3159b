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
from recloop.models.ranker import Examples, Ranker, RankerPlan, _sampled

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


def plan(pairs=100, *, batch=30, epochs=2):
    made = examples(pairs)
    weights = torch.linspace(0.5, 2.0, pairs)
    return RankerPlan(
        torch.from_numpy(made.features), torch.from_numpy(made.labels), weights, batch, epochs, lr=0.01, seed=3
    )


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
    net = Ranker(FEATURES, CONFIG.hidden).eval()
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
        made=Examples(made.features, turned, made.unseen, made.users),
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
    net = Ranker(FEATURES, (4,))
    whole = plan().loss(net, next(plan().batches(1, rank=0, world=1)), 1)
    parts = [plan().loss(net, next(plan().batches(1, rank=rank, world=world)), world) for rank in range(world)]
    assert sum(parts).item() / world == pytest.approx(whole.item(), rel=1e-5)


def test_what_was_taken_or_known_is_always_kept_and_the_rest_by_its_share():
    pairs = 6000
    labels, unseen = np.zeros(pairs, dtype=np.float32), np.ones(pairs, dtype=bool)
    labels[:100], unseen[100:200] = 1, False
    kept = _sampled(Examples(np.zeros((pairs, 1), np.float32), labels, unseen, np.arange(pairs)), 0.25, seed=1)
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
        fit(tmp_path / "out", tmp_path / "work", made=Examples(made.features, 0 * made.labels, made.unseen, made.users))
