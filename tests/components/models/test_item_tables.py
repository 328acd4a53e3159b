"""Items as what they are, beside or without their ids."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from fits import histories_of, walks
from recloop.config import SASRecConfig, TrainerConfig
from recloop.models.encoder import Encoder
from recloop.models.item_tables import FusedItems
from recloop.models.sasrec_fit import fit_sasrec
from recloop.models.sequential import Sequential

N, NEW, BLANK = 31, 29, 30
SETTINGS = {"dim": 16, "blocks": 1, "length": 8, "horizon": 1, "negatives": 24, "batch": 16, "lr": 0.02, "epochs": 8}


def contents():
    """Items round a circle: like items lie side by side; the last has no content. [N, 4]"""
    turn = 2 * np.pi * np.arange(N) / (N - 2)
    made = np.stack([np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)], axis=1)
    made[[0, BLANK]] = 0
    return (made / np.sqrt(2)).astype(np.float32)


def learnt(place, *, content=None, warm=None, **changes):
    """A fit of walks that never touch the items NEW and BLANK."""
    (place / "out").mkdir()
    (place / "work").mkdir()
    config = SASRecConfig.model_validate(SETTINGS | {"content": True} | changes)
    told = []
    fit_sasrec(
        walks(80, codes=NEW),
        n_codes=N,
        config=config,
        trainer=TrainerConfig(threads=1),
        seed=3,
        out=place / "out",
        work=place / "work",
        warm=warm,
        content=contents() if content is None else content,
        progress=lambda what, _: told.append(what),
    )
    return place / "out", told


@pytest.fixture(scope="module")
def fused(tmp_path_factory):
    return learnt(tmp_path_factory.mktemp("fused"))[0]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return learnt(tmp_path_factory.mktemp("bare"), ids=False)[0]


@pytest.mark.parametrize("kind", ["fused", "bare"])
def test_an_item_nobody_took_is_offered_where_its_like_are_taken(kind, request):
    scores = Sequential(Encoder.load(request.getfixturevalue(kind))).scores(histories_of([26, 27, 28], [12, 13, 14]))
    rank = (scores[:, 1:] > scores[:, [NEW]]).sum(axis=1)
    assert rank[0] < 8 < rank[1]


def test_an_item_that_nobody_took_and_that_is_not_described_is_not_offered(fused):
    assert np.isneginf(Sequential(Encoder.load(fused)).scores(histories_of([1, 2]))[0, BLANK])


def test_an_id_tells_two_items_of_the_same_content_apart(tmp_path):
    same = contents()
    same[2] = same[1]
    (tmp_path / "ids").mkdir()
    (tmp_path / "none").mkdir()
    apart, alike = learnt(tmp_path / "ids", content=same)[0], learnt(tmp_path / "none", content=same, ids=False)[0]
    for folder, equal in ((apart, False), (alike, True)):
        vectors = np.load(folder / "item_vectors.npy")
        assert np.allclose(vectors[1], vectors[2], atol=1e-6) is equal


def table(events=100):
    """A table with drawn ids, each of which was taken so often."""
    torch.manual_seed(0)
    items = FusedItems(torch.from_numpy(contents()), 8, ids=True, without=0.5, least=5).eval()
    torch.nn.init.normal_(items.weight)
    items.counted(torch.full((N,), events))
    return items


def test_an_item_with_few_events_is_its_content_alone():
    content = table().project(table().content)
    assert torch.allclose(table(4).vectors(), content, atol=1e-6)
    assert not torch.allclose(table(5).vectors()[1:], content[1:], atol=0.1)


def test_the_vectors_of_a_sampled_softmax_are_rows_of_all_vectors():
    items = table()
    targets, negatives, log_q = torch.tensor([5, 3, 5]), torch.tensor([9, 3]), torch.arange(float(N))
    vectors, wanted, others, own = items.among(targets, negatives, log_q)
    assert torch.allclose(vectors[wanted], items.vectors()[targets], atol=1e-6)
    assert torch.allclose(vectors[others], items.vectors()[negatives], atol=1e-6)
    assert own[wanted].tolist() == [5, 3, 5]
    assert own[others].tolist() == [9, 3]


def test_a_warm_start_goes_on_with_the_same_contents_and_begins_anew_with_others(fused, tmp_path):
    (tmp_path / "same").mkdir()
    (tmp_path / "other").mkdir()
    _, same = learnt(tmp_path / "same", warm=fused, warm_epochs=1)
    _, other = learnt(tmp_path / "other", warm=fused, content=contents()[:, ::-1].copy(), epochs=1)
    assert not any("afresh" in what for what in same)
    assert any("contents otherwise" in what for what in other)


@pytest.mark.parametrize("wrong", [{"ids": False}, {"content": True, "loss": "full"}])
def test_settings_that_cannot_be_learnt_are_refused(wrong):
    with pytest.raises(ValidationError, match="content"):
        SASRecConfig.model_validate(wrong)
