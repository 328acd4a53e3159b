import json

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from contracts import check_recommender
from recloop.config import SplitConfig
from recloop.data.features import CONTEXT, NAMES, SOURCES
from recloop.errors import BadData
from recloop.models.task import past_of
from recloop.models.two_stage import TwoStage, used_features
from shop_datasets import CUT, MODEL, canonical, dataset, fit

FILES = [
    "encoder.json", "encoder.onnx", "item_knn.safetensors", "item_known.npy", "item_vectors.npy", "linear.safetensors",
    "model.json",    "ranker.onnx", "ranker.safetensors", "sasrec.safetensors", "statistics.safetensors",
]  # fmt: skip


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def data():
    return dataset(canonical())


@pytest.fixture(scope="module")
def folder(data, tmp_path_factory):
    return fit(data, tmp_path_factory.mktemp("two_stage"))


@pytest.fixture(scope="module")
def model(folder):
    return TwoStage.load(folder)


@pytest.fixture(scope="module")
def past(data):
    """Histories of the first users, the last of them emptied."""
    users = np.arange(1, 31, dtype=np.int32)
    known = past_of(data, data.test, users)
    return type(known)(
        offsets=np.append(known.offsets, known.offsets[-1]),
        items=known.items,
        times=known.times,
        prices=known.prices,
        quantities=known.quantities,
        discounts=known.discounts,
        stores=known.stores,
        now=np.append(known.now, known.now[-1]),
    )


def test_it_meets_the_contract(model, past):
    check_recommender(model, past, model.n_codes)


def test_nothing_at_or_after_the_cut_changes_a_byte_of_the_model(folder, tmp_path):
    events = canonical()
    later = pl.col("time") >= CUT
    changed = pl.concat([events.filter(~later), events.filter(later).sample(fraction=0.5, seed=1).with_columns(
        item_id=pl.lit("p3"), user_id=pl.lit("c1"), price=pl.lit(99.0))])  # fmt: skip
    assert changed.height < events.height
    assert sorted(contents(folder)) == FILES
    assert contents(fit(dataset(changed), tmp_path)) == contents(folder)


def test_an_event_before_the_cut_changes_the_model(folder, tmp_path):
    events = canonical()
    earlier = events.filter(pl.col("time") < CUT)
    changed = pl.concat([earlier.slice(0, earlier.height - 1), events.filter(pl.col("time") >= CUT)])
    made = contents(fit(dataset(changed), tmp_path))
    assert {name for name, value in contents(folder).items() if made[name] != value} >= {
        "item_knn.safetensors",
        "statistics.safetensors",
    }


def test_a_user_alone_gets_what_a_batch_gives(model, past):
    together = model.recommend(past, k=10)
    for row in (0, 7, 29, 30):
        alone = model.recommend(past.part(row, row + 1), k=10)
        assert alone.items[0].tolist() == together.items[row].tolist()
        assert alone.origins[0].tolist() == together.origins[row].tolist()
        assert alone.scores[0] == pytest.approx(together.scores[row], abs=1e-4)


def test_a_user_without_a_past_gets_what_sells(model, past):
    popular = model.parts.statistics.pop28
    assert model.recommend(past, k=5).items[30].tolist() == np.argsort(-popular, kind="stable")[:5].tolist()


def test_it_finds_more_of_what_users_take_than_popularity_does(data, model):
    truth = data.truth(data.test)
    known = past_of(data, data.test, truth.users)
    taken = set(zip(truth.rows.tolist(), truth.items.tolist(), strict=True))

    def hits(items):
        return sum((row, int(item)) in taken for row, found in enumerate(items) for item in found if item)

    popular = np.argsort(-model.parts.statistics.pop28, kind="stable")[:5]
    assert hits(model.recommend(known, k=5).items) > 1.2 * hits(np.tile(popular, (len(truth), 1)))


def test_a_long_list_is_filled_with_all_that_sells(model, past):
    found = model.recommend(past, k=40, exclude_seen=True)
    sold = model.parts.statistics.pop28 > 0
    for row in range(len(past)):
        own = past.items[past.offsets[row] : past.offsets[row + 1]]
        free = sold.copy()
        free[own] = False
        assert (found.items[row] > 0).sum() >= min(40, free.sum())


def test_every_item_carries_the_sources_that_proposed_it(model, past):
    found = model.recommend(past, k=10)
    assert np.all(found.origins[found.items > 0] > 0)
    assert np.all(found.origins[found.items == 0] == 0)
    assert found.origins.max() < 1 << len(model.sources)


def test_asked_for_both_lists_at_once_it_gives_those_of_two_questions(model, past):
    every, new = model.recommend_twice(past, k=10)
    for found, exclude_seen in ((every, False), (new, True)):
        wanted = model.recommend(past, k=10, exclude_seen=exclude_seen)
        assert np.array_equal(found.items, wanted.items)
        assert np.array_equal(found.origins, wanted.origins)
        assert found.scores == pytest.approx(wanted.scores, abs=1e-5)


def test_no_histories_give_no_rows(model, past):
    assert model.recommend(past.part(0, 0), k=4).items.shape == (0, 4)


def test_what_is_left_out_of_the_features_is_left_out_of_the_model(data, tmp_path):
    ranker = MODEL.ranker.model_copy(update={"use_sasrec": False, "use_context": False})
    out = fit(data, tmp_path, config=MODEL.model_copy(update={"ranker": ranker}))
    kept = [name for name in NAMES if name not in (*CONTEXT, *SOURCES[3:])]
    assert json.loads((out / "model.json").read_text())["features"] == kept
    assert not (out / "encoder.onnx").exists()
    assert load_file(out / "ranker.safetensors")["mean"].shape == (len(kept),)
    assert [NAMES[n] for n in used_features(use_sasrec=False, use_context=False)] == kept


def test_a_ranker_of_other_features_of_the_same_number_is_not_gone_on_with(data, folder, tmp_path):
    cold = tmp_path / "older"
    cold.mkdir()
    for name in ("ranker.safetensors", "model.json"):
        (cold / name).write_bytes((folder / name).read_bytes())
    facts = json.loads((cold / "model.json").read_text())
    facts["features"] = facts["features"][::-1]
    (cold / "model.json").write_text(json.dumps(facts))
    assert contents(fit(data, tmp_path, warm=cold)) == contents(folder)


def test_a_ranker_of_the_same_features_is_gone_on_with(data, folder, tmp_path):
    still = MODEL.model_copy(update={"ranker": MODEL.ranker.model_copy(update={"lr": 1e-12})})
    older, newer = (
        load_file(place / "ranker.safetensors") for place in (folder, fit(data, tmp_path, config=still, warm=folder))
    )
    assert all(newer[name] == pytest.approx(older[name], abs=1e-6) for name in older)


def test_too_short_a_history_says_what_to_lower(tmp_path):
    short = dataset(canonical(), SplitConfig(test_days=50, min_item_events=3))
    with pytest.raises(BadData, match=r"window 2 of them nobody.*model\.ranker\.windows \(2\).*test_days \(50\)"):
        fit(short, tmp_path)
