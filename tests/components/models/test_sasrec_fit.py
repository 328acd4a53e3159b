import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from fits import CONFIG, N_CODES, fit, histories_of, walks
from recloop.errors import BadArtifact, BadData
from recloop.models.encoder import Encoder
from recloop.models.sasrec import SASRec
from recloop.models.sasrec_fit import plan_of

FILES = ["encoder.onnx", "item_known.npy", "item_vectors.npy", "sasrec.safetensors"]


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def champion(tmp_path_factory):
    place = tmp_path_factory.mktemp("champion")
    fit(place / "out", place / "work")
    return place / "out"


def test_the_same_seed_gives_the_same_bytes_of_every_file(champion, tmp_path):
    torch.manual_seed(99)
    fit(tmp_path / "out", tmp_path / "work")
    assert sorted(contents(champion)) == FILES
    assert contents(tmp_path / "out") == contents(champion)


def test_nothing_but_the_checkpoint_is_written_to_work(tmp_path):
    fit(tmp_path / "out", tmp_path / "work", config=CONFIG.model_copy(update={"epochs": 1}))
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["sasrec.safetensors"]


def test_the_mean_of_the_losses_of_devices_is_the_loss_of_the_step():
    torch.manual_seed(0)
    net = SASRec(N_CODES, CONFIG).eval()
    plan = plan_of(walks(), N_CODES, CONFIG, 1, 0)
    whole = plan.loss(net, next(plan.batches(2, rank=0, world=1)), 1)
    parts = [plan.loss(net, next(plan.batches(2, rank=rank, world=3)), 3) for rank in range(3)]
    assert sum(parts).item() / 3 == pytest.approx(whole.item(), rel=1e-5)


def test_it_learns_where_a_walk_goes_next(tmp_path):
    config = CONFIG.model_copy(update={"horizon": 1, "epochs": 30, "lr": 0.02, "dropout": 0.0, "dim": 16})
    rows = [[(start + n) % 30 + 1 for n in range(8)] for start in range(30)]
    result = fit(tmp_path / "out", tmp_path / "work", config=config, histories=histories_of(*rows))
    scores = Encoder.load(tmp_path / "out").scores(histories_of([4, 5, 6], [20, 21]))
    assert scores[:, 1:].argmax(axis=1).tolist() == [6, 21]
    assert result["sasrec_loss"] < 1


def test_only_items_that_occurred_are_known(tmp_path):
    rows = histories_of([1, 2, 3], [2, 5])
    fit(tmp_path / "out", tmp_path / "work", histories=rows)
    known = np.load(tmp_path / "out" / "item_known.npy", allow_pickle=False)
    assert np.flatnonzero(known).tolist() == [1, 2, 3, 5]


def test_a_warm_start_keeps_the_rows_of_known_codes_and_takes_new_ones(champion, tmp_path):
    no_step = CONFIG.model_copy(update={"warm_epochs": 1, "lr": 1e-12})
    fit(tmp_path / "out", tmp_path / "work", config=no_step, warm=champion, histories=walks(codes=36), n_codes=36)
    older, newer = (load_file(place / "sasrec.safetensors") for place in (champion, tmp_path / "out"))
    assert newer["items.weight"].shape == (36, CONFIG.dim)
    for name, value in newer.items():
        assert value[: len(older[name])] == pytest.approx(older[name], abs=1e-6)
    assert newer["items.weight"][N_CODES:].std() > 0.01


def test_a_warm_start_still_knows_what_only_the_older_model_saw(champion, tmp_path):
    fit(tmp_path / "out", tmp_path / "work", warm=champion, histories=histories_of([1, 2, 33], [2, 1]), n_codes=36)
    known = np.load(tmp_path / "out" / "item_known.npy", allow_pickle=False)
    assert np.flatnonzero(known).tolist() == [*range(1, N_CODES), 33]


def test_a_warm_start_takes_the_warm_epochs(champion, tmp_path):
    cold = fit(tmp_path / "cold", tmp_path / "work_cold")
    warm = fit(tmp_path / "warm", tmp_path / "work_warm", warm=champion)
    assert warm["sasrec_steps"] == pytest.approx(cold["sasrec_steps"] / 3, abs=1)


def test_an_older_model_of_other_sizes_is_passed_over(champion, tmp_path):
    wider = CONFIG.model_copy(update={"dim": 16})
    fit(tmp_path / "cold", tmp_path / "work_cold", config=wider)
    fit(tmp_path / "warm", tmp_path / "work_warm", config=wider, warm=champion)
    assert contents(tmp_path / "warm") == contents(tmp_path / "cold")


def test_a_folder_without_a_sasrec_is_passed_over(champion, tmp_path):
    (tmp_path / "older").mkdir()
    fit(tmp_path / "out", tmp_path / "work", warm=tmp_path / "older")
    assert contents(tmp_path / "out") == contents(champion)


def test_an_older_model_that_knows_more_items_is_refused(champion, tmp_path):
    with pytest.raises(BadArtifact, match="knows 30 items where the dataset has 9"):
        fit(tmp_path / "out", tmp_path / "work", warm=champion, histories=histories_of([1, 2]), n_codes=10)


def test_users_with_one_item_each_are_nothing_to_learn_from(tmp_path):
    with pytest.raises(BadData, match="none of 2 users has two different items"):
        fit(tmp_path / "out", tmp_path / "work", histories=histories_of([4, 4, 4], [5]))
