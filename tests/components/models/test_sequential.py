"""The sequence models as members of the family."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from contracts import check_recommender
from fits import histories_of
from frames import canonical, items
from recloop.config import ModelConfig, SplitConfig, TrainerConfig
from recloop.data import split
from recloop.models import family
from recloop.models.bert4rec import Bert4Rec, NextGap
from recloop.models.hstu import HSTU
from recloop.models.sasrec import SASRec
from recloop.models.sequence_net import LastState
from recloop.models.task import Task, past_of
from recloop.models.watched import watched

KINDS = {"sasrec": (SASRec, LastState), "bert4rec": (Bert4Rec, NextGap), "hstu": (HSTU, LastState)}
SMALL = {"dim": 16, "blocks": 1, "heads": 2, "length": 8, "negatives": 16, "batch": 16, "lr": 0.02, "dropout": 0.1}
SETTINGS = SMALL | {"epochs": 12, "patience": 9, "watch_epochs": 4, "fast": True}
N = 20


def dataset(users=40):
    """Users who go round twenty items, one a day, each with the last two days as validation and test."""
    rows = [(f"u{u:02}", f"i{(u * 3 + d) % N:02}", d) for u in range(users) for d in range(4 + u % 6)]
    ids = [f"i{n:02}" for n in range(N)]
    return split.build(canonical(rows), items(ids), SplitConfig(kind="leave_last_out", min_item_events=1))


def config(kind, **changes):
    extra = {"horizon": 1} if kind != "bert4rec" else {}
    return ModelConfig.model_validate({kind: SETTINGS | extra | changes})


def fitted(kind, place, data, **changes):
    (place / "out").mkdir(parents=True)
    (place / "work").mkdir()
    cut = data.windows(1)[1]
    task = Task(
        data, cut, config(kind, **changes), TrainerConfig(threads=1), 3, place / "out", place / "work", watch=cut
    )
    return task, family.fit(kind, task)


@pytest.fixture(scope="module", params=KINDS)
def made(request, tmp_path_factory):
    data = dataset()
    task, found = fitted(request.param, tmp_path_factory.mktemp(request.param), data)
    return request.param, task, found, family.load(task.out)


def test_it_keeps_the_contract_of_recommenders(made):
    _, task, _, model = made
    check_recommender(model, histories_of([1, 2, 3], [], [7], list(range(1, 15))), task.n_codes)


def test_it_learns_where_a_walk_goes_next(made):
    _, task, found, model = made
    truth = task.dataset.truth(task.dataset.test)
    past = past_of(task.dataset, task.dataset.test, truth.users)
    hits = model.recommend(past, k=3, exclude_seen=True).items == truth.items[:, None]
    assert hits.any(1).mean() > 0.6  # by chance 0.2
    assert found["watched_ndcg_10"] > 0.35


def test_the_watched_score_is_the_ndcg_of_what_the_loaded_model_recommends(made):
    _, task, found, model = made
    truth = task.dataset.truth(task.watch)
    past = past_of(task.dataset, task.watch, truth.users)
    hits = model.recommend(past, k=10, exclude_seen=True).items == truth.items[:, None]
    assert (hits / np.log2(np.arange(10) + 2)).sum(1).mean() == pytest.approx(found["watched_ndcg_10"], abs=1e-6)


def test_the_exported_state_is_that_of_torch(made):
    kind, task, _, model = made
    net_of, wrap = KINDS[kind]
    net = net_of(task.n_codes, getattr(task.config, kind)).eval()
    net.load_state_dict(load_file(task.out / f"{kind}.safetensors"))
    inputs = [torch.tensor([[4, 9, 2]]), torch.tensor([3])]
    if kind == "hstu":
        inputs.append(torch.tensor([[0, 3600, 7200]]))
    with torch.no_grad():
        state = wrap(net)(*inputs)[0].numpy()
    both = model.encoder.encode(histories_of([1, 2, 3, 4, 5, 6], [4, 9, 2]))
    assert both[1] == pytest.approx(state, abs=1e-5)


def test_an_empty_history_is_recommended_nothing(made):
    assert not made[3].recommend(histories_of([]), k=3).items.any()


def test_the_same_task_gives_the_same_bytes(made, tmp_path):
    kind, task, _, _ = made
    again, _ = fitted(kind, tmp_path, task.dataset)
    assert {p.name: p.read_bytes() for p in task.out.iterdir()} == {p.name: p.read_bytes() for p in again.out.iterdir()}


@pytest.mark.parametrize(
    "settings", [{"loss": "full"}, {"fast": False, "draw": "popularity"}, {"block": "gated", "expand": 3}]
)
def test_every_setting_learns(settings, tmp_path):
    _, found = fitted("sasrec", tmp_path, dataset(), **settings)
    assert found["watched_ndcg_10"] > 0.6


def test_a_warm_start_goes_on_from_the_older_weights(made, tmp_path):
    kind, task, _, _ = made
    out, work = tmp_path / "out", tmp_path / "work"
    out.mkdir()
    work.mkdir()
    still = config(kind, lr=1e-12, patience=0)
    family.fit(kind, replace(task, config=still, warm=task.out, out=out, work=work))
    older, newer = (load_file(place / f"{kind}.safetensors") for place in (task.out, out))
    assert all(torch.allclose(older[name], newer[name], atol=1e-6) for name in older)


def test_a_fit_that_watches_no_window_looks_at_none(tmp_path):
    task, found = fitted("sasrec", tmp_path, dataset(), patience=0, epochs=1)
    assert "watched_ndcg_10" not in found
    assert watched(replace(task, watch=None), config("sasrec").sasrec, None, LastState) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_watched_history_may_be_longer_than_what_the_model_sees(kind, tmp_path):
    task, found = fitted(kind, tmp_path, dataset(), length=4, epochs=1, watch_epochs=1)
    truth = task.dataset.truth(task.watch)
    past = past_of(task.dataset, task.watch, truth.users)
    assert past.lengths.max() > 4
    hits = family.load(task.out).recommend(past, k=10, exclude_seen=True).items == truth.items[:, None]
    assert (hits / np.log2(np.arange(10) + 2)).sum(1).mean() == pytest.approx(found["watched_ndcg_10"], abs=1e-6)
