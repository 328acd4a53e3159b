"""Neural collaborative filtering: learnt, folded in, served and warm-started."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from contracts import check_recommender
from fits import histories_of
from frames import canonical, items
from recloop.config import ModelConfig, NCFConfig, SplitConfig, TrainerConfig
from recloop.data import split
from recloop.errors import BadArtifact, BadData
from recloop.models import family
from recloop.models.ncf import WEIGHTS, folded
from recloop.models.ncf_fit import NCFPlan, fold_of, pairs_of
from recloop.models.ncf_net import NCFNet
from recloop.models.task import Task

KINDS = ("mf", "gmf", "mlp", "neumf")
SMALL = {
    "factors": 4,
    "hidden": [8, 4],
    "negatives": 4,
    "batch": 8,
    "epochs": 25,
    "warm_epochs": 1,
    "lr": 0.03,
    "init": 0.1,
    "l2": 1e-3,
}
CONFIG = ModelConfig.model_validate(dict.fromkeys(KINDS, SMALL) | {"kind": "neumf"})
N = 20


def dataset(users=30):
    """Users of the first ten items and users of the last ten: eight of them each."""
    rng = np.random.default_rng(1)
    taken = [rng.permutation(10)[:8] + (u % 2) * 10 for u in range(users)]
    rows = [(f"u{u:02}", f"i{item:02}", day) for u, own in enumerate(taken) for day, item in enumerate(own)]
    ids = [f"i{n:02}" for n in range(N)]
    return split.build(canonical(rows), items(ids), SplitConfig(kind="leave_last_out", min_item_events=1))


def task(place, data, **changes):
    (place / "out").mkdir(parents=True)
    (place / "work").mkdir()
    return Task(data, data.windows(1)[1], CONFIG, TrainerConfig(threads=1), 3, place / "out", place / "work", **changes)


def fitted(kind, factory):
    job = task(factory.mktemp(kind), dataset())
    found = family.fit(kind, job)
    return kind, job, found, family.load(job.out)


@pytest.fixture(scope="module")
def neumf(tmp_path_factory):
    return fitted("neumf", tmp_path_factory)


@pytest.fixture(scope="module", params=KINDS)
def made(request, tmp_path_factory):
    if request.param == "neumf":
        return request.getfixturevalue("neumf")
    return fitted(request.param, tmp_path_factory)


def test_it_keeps_the_contract_of_recommenders(made):
    _, job, _, model = made
    check_recommender(model, histories_of([1, 2, 3], [], [7], list(range(1, 15))), job.n_codes)


def test_a_history_alone_is_enough_to_know_the_half_of_the_catalogue_that_a_user_likes(made):
    _, job, _, model = made
    codes = job.dataset.items.codes
    low, high = (np.array([codes[f"i{half + n:02}"] for n in range(10)]) for half in (0, 10))
    scores = model.scores(histories_of(low[:6].tolist(), high[:6].tolist()))
    assert scores[0, low].mean() > scores[0, high].mean()
    assert scores[1, high].mean() > scores[1, low].mean()


def test_numpy_scores_what_torch_learnt(made):
    kind, job, _, model = made
    weights = load_file(job.out / WEIGHTS)
    net = NCFNet(kind, getattr(CONFIG, kind), n_users=len(job.dataset.users) + 1, n_codes=job.n_codes)
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items() if name != "fold"})
    users = np.array([1, 5, 9])
    with torch.no_grad():
        block = net.block(torch.from_numpy(users), torch.arange(job.n_codes)).numpy()
        pairs = net.pairs(torch.from_numpy(users), torch.tensor([0, 2]), torch.tensor([3, 7])).numpy()
    np.testing.assert_allclose(model.scores_of(model.known(users)), block, atol=1e-5)
    np.testing.assert_allclose(pairs, block[[0, 2], [3, 7]], atol=1e-5)


def test_the_same_seed_writes_the_same_bytes(neumf, tmp_path):
    kind, job, _, _ = neumf
    again = task(tmp_path, job.dataset)
    family.fit(kind, again)
    assert (again.out / WEIGHTS).read_bytes() == (job.out / WEIGHTS).read_bytes()


def test_a_warm_start_goes_on_from_the_older_rows(made, tmp_path):
    kind, job, found, _ = made
    again = task(tmp_path, job.dataset, warm=job.out)
    warm = family.fit(kind, again)
    assert warm[f"{kind}_steps"] < found[f"{kind}_steps"]
    assert warm[f"{kind}_loss"] < 1.2 * found[f"{kind}_loss"]


def test_a_warm_start_from_more_codes_is_refused(neumf, tmp_path):
    kind, job, _, _ = neumf
    fewer = task(tmp_path, dataset(users=20), warm=job.out)
    with pytest.raises(BadArtifact, match="more rows"):
        family.fit(kind, fewer)


def test_a_warm_start_from_other_sizes_starts_afresh(neumf, tmp_path):
    kind, job, _, _ = neumf
    other = ModelConfig.model_validate({k: SMALL | {"factors": 3, "hidden": [6, 4], "epochs": 2} for k in KINDS})
    heard = []
    again = replace(
        task(tmp_path, job.dataset, warm=job.out), config=other, progress=lambda what, _: heard.append(what)
    )
    family.fit(kind, again)
    assert any("starting afresh" in what for what in heard)


def test_nothing_before_the_cut_is_told(tmp_path):
    data = dataset()
    early = task(tmp_path, data)
    first = replace(early.cut, start=np.zeros_like(early.cut.start), end=early.cut.start)
    with pytest.raises(BadData, match="bring more history"):
        family.fit("mf", replace(early, cut=first))


def plan(draw=99, **changes):
    pairs = pairs_of(histories_of([1, 2], [3], [1, 4, 5]), 8)
    return NCFPlan(pairs, NCFConfig.model_validate({"draw": draw, "batch": 2, "negatives": 2} | changes), 2, 7)


def test_weights_of_the_draw_stand_for_the_negatives_due_and_none_for_what_was_taken():
    for batch in plan(draw=4).batches(0, rank=0, world=1):
        counts = torch.bincount(batch.rows, minlength=len(batch.users))
        torch.testing.assert_close(batch.weights.sum(1), 2.0 * counts)
        taken = {(int(r), int(i)) for r, i in zip(batch.rows, batch.items, strict=True)}
        assert all(
            batch.weights[r, list(batch.draw.tolist()).index(i)] == 0 for r, i in taken if i in batch.draw.tolist()
        )


def test_a_partial_draw_has_the_loss_of_the_whole_catalogue_in_expectation():
    torch.manual_seed(1)
    net = NCFNet("neumf", NCFConfig(factors=3, hidden=(4, 2), init=1.0), n_users=4, n_codes=8)
    whole = plan(batch=3)
    some = [replace(plan(draw=5, batch=3), seed=seed) for seed in range(400)]
    with torch.no_grad():
        wanted, *found = (float(p.loss(net, next(p.batches(0, rank=0, world=1)), 1)) for p in (whole, *some))
    assert np.mean(found) == pytest.approx(wanted, rel=0.05)
    assert np.std(found) > 0


def test_two_devices_share_a_step_and_its_loss():
    net = NCFNet("mf", NCFConfig(factors=3, init=1.0), n_users=4, n_codes=8)
    own = plan(batch=3, l2=0.1)
    wanted = own.loss(net, next(own.batches(0, rank=0, world=1)), 1)
    halves = [own.loss(net, next(own.batches(0, rank=rank, world=2)), 2) for rank in (0, 1)]
    torch.testing.assert_close(sum(halves) / 2, wanted)


def test_batches_go_on_from_a_step():
    own = plan(draw=3)
    later = list(own.batches(0, rank=0, world=1))[3]
    again = next(own.batches(3, rank=0, world=1))
    assert all(torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in zip(later, again, strict=True))


def test_the_fold_in_finds_user_vectors_that_are_sums_of_their_items():
    rng = np.random.default_rng(1)
    pairs = pairs_of(histories_of(*(rng.choice(np.arange(1, 9), 4, replace=False).tolist() for _ in range(200))), 9)
    true = rng.normal(size=(9, 3)).astype(np.float32) * 10
    vectors = (pairs @ true) / 2
    fold, explained = fold_of(pairs, vectors.astype(np.float32))
    assert explained > 0.99
    np.testing.assert_allclose(folded(histories_of([1, 2, 2, 5, 8]), fold)[0], true[[1, 2, 5, 8]].sum(0) / 2, atol=1)
