import json
import shutil

import numpy as np
import pytest

from contracts import check_recommender
from recloop.models import family
from recloop.models.family import FAMILY
from recloop.models.ranked import Ranked
from recloop.models.served import Served
from recloop.models.task import past_of
from recloop.serving.bundle import Bundle, assemble
from shop_datasets import CUT, EVERY, MODEL, canonical, dataset, fit

KINDS = tuple(FAMILY)


@pytest.fixture(scope="module")
def data():
    return dataset(canonical())


@pytest.fixture(scope="module")
def folders(data, tmp_path_factory):
    place = tmp_path_factory.mktemp("kinds")
    return {kind: fit(data, place / kind, config=EVERY.model_copy(update={"kind": kind})) for kind in KINDS}


@pytest.fixture(scope="module")
def past(data):
    return past_of(data, data.test, np.arange(1, 21, dtype=np.int32))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_meets_the_contract_as_it_serves(folders, past, kind):
    served = Served.load(folders[kind])
    check_recommender(served, past, served.n_codes)
    assert served.kind == kind
    assert {len(values) for values in served.model.arrays().values()} == {served.n_codes}


@pytest.mark.parametrize("kind", KINDS)
def test_both_lists_at_once_are_the_lists_one_by_one(folders, past, kind):
    served = Served.load(folders[kind])
    every, fresh = served.recommend_twice(past, k=7)
    assert np.array_equal(every.items, served.recommend(past, k=7).items)
    assert np.array_equal(fresh.items, served.recommend(past, k=7, exclude_seen=True).items)


@pytest.mark.parametrize("kind", KINDS)
def test_every_item_carries_the_sources_that_proposed_it(folders, past, kind):
    served = Served.load(folders[kind])
    found = served.recommend(past, k=15)
    assert np.all((found.origins > 0) == (found.items > 0))
    assert found.origins.max() < 1 << len(served.sources)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_gets_what_sold_of_late_whatever_the_kind(folders, data, past, kind):
    served = Served.load(folders[kind])
    stranger = past.take(np.array([0])).within(1)
    found = served.recommend(stranger, k=4)
    sold = served.statistics.pop28
    assert [sold[n] for n in found.items[0]] == sorted(sold, reverse=True)[:4]
    assert [served.sources[int(np.log2(bit))] for bit in found.origins[0]] == ["popularity"] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_release_of_each_kind_is_checked_and_answers(folders, data, tmp_path, kind):
    data.save(tmp_path)
    (tmp_path / "scorecard.json").write_text("{}")
    out = tmp_path / "release"
    assemble(tmp_path, folders[kind], tmp_path, out, scenario="shop", config="{}")
    bundle = Bundle.load(out)
    assert (bundle.model.recommend(bundle.past.part(0, 2), k=5).items > 0).all()


def test_a_short_list_is_filled_up_by_popular_items_below_it(folders, past):
    served = Served.load(folders["item_knn"])
    wanted = served.n_codes - 1
    short, full = served.model.recommend(past, k=wanted), served.recommend(past, k=wanted)
    sold = set(np.flatnonzero(served.statistics.pop28 > 0))
    for before, after in zip(short.items, full.items, strict=True):
        own = before[before > 0].tolist()
        assert after[: len(own)].tolist() == own
        assert set(after[after > 0]) == set(own) | sold


def test_nothing_is_filled_up_that_may_not_be_shown(folders, past):
    served = Served.load(folders["item_knn"])
    only = np.zeros(served.n_codes, dtype=bool)
    only[[3, 5]] = True
    found = served.recommend(past, k=5, allowed=only, exclude=np.array([5], dtype=np.int32))
    assert set(found.items.ravel().tolist()) <= {0, 3}


def test_similar_items_are_the_nearest_by_shared_visits(folders):
    served = Served.load(folders["two_stage"])
    assert served.similar(5, k=3).items[0].tolist() == served.item_knn.neighbours[5, :3].tolist()
    wide = served.similar(5, k=50)
    assert wide.items.shape == wide.scores.shape == (1, 50)
    assert np.isneginf(wide.scores[wide.items == 0]).all()
    nothing: Ranked = served.similar(0, k=3)
    assert not nothing.items.any()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_learnt_until_is_the_start_of_the_test(folders, data, kind):
    assert Served.load(folders[kind]).learnt_until == int(CUT.timestamp()) == data.test.as_of


def test_a_kind_that_is_not_known_is_refused_by_name(folders, tmp_path):
    (tmp_path / "model.json").write_text(json.dumps({"kind": "oracle"}))
    with pytest.raises(family.BadArtifact, match="'oracle'; known are two_stage"):
        family.load(tmp_path)


def test_another_kind_s_folder_is_no_warm_start(folders, data, tmp_path):
    again = fit(data, tmp_path, config=MODEL.model_copy(update={"kind": "popularity"}), warm=folders["two_stage"])
    assert family.kind_of(again) == "popularity"


def test_every_kind_of_the_configuration_is_in_the_family():
    kinds = type(MODEL).model_fields["kind"].annotation.__args__
    assert set(kinds) == set(FAMILY)


@pytest.mark.parametrize(("days", "afresh"), [(0, False), (1, True)])
def test_a_model_that_learnt_from_what_is_held_out_now_is_not_gone_on_with(folders, data, tmp_path, days, afresh):
    older = shutil.copytree(folders["two_stage"], tmp_path / "older")
    facts = json.loads((older / "model.json").read_text())
    (older / "model.json").write_text(json.dumps(facts | {"learnt_until": data.test.as_of + days * 86_400}))
    told = []
    fit(data, tmp_path / "new", warm=older, told=told)
    assert any("learnt from what is held out" in what for what in told) == afresh


def test_a_sasrec_that_learnt_from_the_ranker_s_windows_is_not_gone_on_with(folders, data, tmp_path):
    fewer = MODEL.model_copy(update={"ranker": MODEL.ranker.model_copy(update={"windows": 1})})
    older = fit(data, tmp_path / "older", config=fewer)
    told = []
    fit(data, tmp_path / "new", warm=older, told=told)
    assert any("learnt from the ranker's windows" in what for what in told)
