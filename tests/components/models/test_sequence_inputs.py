"""Every kind of sequence model reads context and contents, and serves what it learnt with."""

import numpy as np
import polars as pl
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
from recloop.models.context import FEATURES, context_of
from recloop.models.hstu import HSTU
from recloop.models.item_vectors import content_of
from recloop.models.sasrec import SASRec
from recloop.models.sequence_net import LastState
from recloop.models.task import Task

KINDS = {"sasrec": (SASRec, LastState), "bert4rec": (Bert4Rec, NextGap), "hstu": (HSTU, LastState)}
SMALL = {"dim": 8, "blocks": 1, "length": 8, "negatives": 16, "batch": 16, "epochs": 1, "content": True}
ROW = [4, 9, 2]


def dataset():
    """Users who go round twelve items of four categories."""
    rows = [(f"u{u:02}", f"i{(u * 3 + d) % 12:02}", d) for u in range(20) for d in range(5)]
    every = items([f"i{n:02}" for n in range(12)])
    told = every.with_columns(category=pl.Series([f"kind{n % 4} > part{n % 3}" for n in range(12)]))
    return split.build(canonical(rows), told, SplitConfig(kind="leave_last_out", min_item_events=1))


@pytest.fixture(scope="module", params=KINDS)
def made(request, tmp_path_factory):
    place, data, kind = tmp_path_factory.mktemp(request.param), dataset(), request.param
    (place / "out").mkdir()
    (place / "work").mkdir()
    config = ModelConfig.model_validate({kind: SMALL | {"context": list(FEATURES)}})
    task = Task(data, data.test, config, TrainerConfig(threads=1), 3, place / "out", place / "work")
    family.fit(kind, task)
    return kind, task, family.load(task.out)


def test_it_keeps_the_contract_of_recommenders(made):
    _, task, model = made
    check_recommender(model, histories_of(ROW, [], [7]), task.n_codes)


def test_the_exported_state_is_that_of_torch(made):
    kind, task, model = made
    net_of, wrap = KINDS[kind]
    config = getattr(task.config, kind)
    net = net_of(task.n_codes, config, content_of(task, config)).eval()
    net.load_state_dict(load_file(task.out / f"{kind}.safetensors"))
    rows = histories_of(ROW)
    named = {
        "items": torch.tensor([ROW]),
        "lengths": torch.tensor([3]),
        "times": torch.tensor([[0, 3600, 7200]]),
        "context": torch.from_numpy(context_of(rows, config.context).astype(np.int64))[None],
    }
    wrapped = wrap(net)
    with torch.no_grad():
        state = wrapped(*(named[name] for name in wrapped.inputs))[0].numpy()
    assert model.encoder.encode(rows)[0] == pytest.approx(state, abs=1e-5)
    assert model.encoder.vectors == pytest.approx(net.items.vectors().detach().numpy(), abs=1e-5)
