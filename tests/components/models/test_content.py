import json

import numpy as np
import polars as pl
import pytest

import shop_datasets
import shops
from contracts import check_recommender
from encoders import write_encoder
from frames import histories
from recloop.config import ContentConfig, SplitConfig, TrainerConfig
from recloop.data import split
from recloop.errors import BadData
from recloop.models import family
from recloop.models.content import Content, load
from recloop.models.content_fit import SHRINK, fit_content, following_content
from recloop.models.item_vectors import centred, of_words, read, texts
from recloop.models.task import Task

RNG = np.random.default_rng(0)
N = 12
VECTORS = np.concatenate([np.zeros((1, 4)), centred(RNG.normal(size=(N - 1, 4)).astype(np.float32))]).astype(np.float32)
PAST = histories([(1, 9), (2, 8), (3, 7), (1, 6)], [(4, 5), (2, 4)], [], [(5, 3)])


def task(tmp_path, data, **settings):
    (tmp_path / "out").mkdir(exist_ok=True)
    config = shop_datasets.MODEL.model_copy(update={"content": ContentConfig(**settings)})
    return Task(data, data.test, config, TrainerConfig(threads=1), 7, tmp_path / "out", tmp_path)


@pytest.fixture(scope="module")
def shop():
    return shop_datasets.dataset(shop_datasets.canonical())


@pytest.mark.parametrize("learnt", [True, False])
def test_a_content_model_is_a_recommender(learnt):
    check_recommender(fit_content(PAST, VECTORS, ContentConfig(learnt=learnt)), PAST, N)


def test_a_model_scores_alike_after_it_was_saved_however_its_vectors_lay_in_memory(tmp_path):
    model = Content(np.asfortranarray(VECTORS[:, ::-1]), VECTORS, ContentConfig())
    model.save(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"content": ContentConfig().model_dump()}))
    assert load(tmp_path).scores(PAST) == pytest.approx(model.scores(PAST))


def test_an_item_that_nobody_took_is_ranked_by_what_it_is():
    vectors = np.array([[0, 0], [1, 0.1], [0, 1], [1, 0], [0.1, 1]], dtype=np.float32)
    cold = {3, 4}
    past = histories([(1, 3), (1, 2), (1, 1)], [(2, 3), (2, 2)])
    for learnt in (True, False):
        model = fit_content(past, vectors, ContentConfig(learnt=learnt, back=0))
        first = model.recommend(past, k=1, exclude_seen=True, exclude=np.array([1, 2], dtype=np.int32)).items[:, 0]
        assert first.tolist() == [3, 4]
        assert set(first.tolist()) <= cold


def test_what_is_around_an_item_is_the_ridge_regression_of_its_normed_counts():
    config = ContentConfig(window=1, back=0.5, ridge=0.2)
    counts = np.zeros((N, N))
    for first, then in ((1, 2), (2, 3), (3, 1), (4, 2)):
        counts[first, then] += 1
    counts += 0.5 * counts.T
    taken = np.zeros(N)
    for item in PAST.items:
        taken[item] += 1
    norm = 1 / np.sqrt(taken + SHRINK)
    seen = np.where(taken[:, None] > 0, VECTORS, 0).astype(float)
    own = seen.T @ seen
    own += 0.2 * np.trace(own) / 4 * np.eye(4)
    around = (norm[:, None] * counts * norm) @ seen @ np.linalg.inv(own)
    like = VECTORS @ np.linalg.inv(own) @ seen.T @ around
    trust = (taken / (taken + SHRINK))[:, None]
    found = following_content(PAST, VECTORS, config)
    assert found == pytest.approx(trust * around + (1 - trust) * like, abs=1e-5)
    assert found[11] == pytest.approx(like[11], abs=1e-5)  # nobody took it


def test_older_events_weigh_less_and_an_item_without_a_vector_is_not_ranked():
    vectors = np.array([[0, 0], [1, 0], [0, 1], [0, 0]], dtype=np.float32)
    model = Content(vectors, vectors, ContentConfig(decay=0.5))
    found = model.scores(histories([(1, 2), (2, 1)]))[0]
    assert found[2] == pytest.approx(2 * found[1])
    assert np.isneginf(found[3])


def test_it_is_fitted_and_read_again_with_equal_answers_and_bytes(tmp_path, shop):
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        own = task(tmp_path / name, shop)
        assert family.fit("content", own)["content_items_described"] == 1.0
        made.append((own.out / "content.safetensors").read_bytes())
    assert made[0] == made[1]
    check_recommender(family.load(tmp_path / "a/out"), own.past, own.n_codes)


def test_nothing_is_learnt_from_what_comes_after_the_cut(tmp_path, shop):
    last = shop.events["time"].max()
    same = pl.when(pl.col("time") == last).then(1).otherwise(pl.col("item")).cast(pl.Int32)
    other = split.Dataset(shop.events.with_columns(item=same), shop.catalogue, shop.users, shop.items, shop.split)
    made = []
    for n, data in enumerate((shop, other)):
        (tmp_path / str(n)).mkdir()
        own = task(tmp_path / str(n), data)
        family.fit("content", own)
        made.append((own.out / "content.safetensors").read_bytes())
    assert made[0] == made[1]


def test_every_item_of_the_catalogue_has_a_code_where_no_event_is_asked_for():
    events = shop_datasets.canonical()
    data = shop_datasets.dataset(events.filter(pl.col("item_id") != "p1"), SplitConfig(test_days=14, min_item_events=0))
    assert "p1" in data.items.ids
    assert data.catalogue.height == shops.PRODUCTS


def test_texts_are_title_path_and_brand_and_an_id_is_no_title():
    said = texts(
        pl.DataFrame(
            {"item_id": ["a", "b"], "title": ["Tea", "b"], "category": ["Food > Drinks", ""], "brand": ["X", ""]}
        )
    )
    assert said == ["Tea, Food, Drinks, X", ""]


def test_items_with_the_same_words_are_near():
    found = centred(of_words(["red shoe", "red shoes shoe", "blue hat", "blue hat hat"], dim=3, seed=1))
    near = found @ found.T
    assert near[2, 3] > near[2, 0]
    assert near[0, 1] > near[0, 3]


def test_an_encoder_reads_titles_and_leaves_the_nameless_out(tmp_path, shop):
    encoder = write_encoder(tmp_path / "encoder")
    nameless = pl.col("item") == 3
    bare = shop.catalogue.with_columns(
        title=pl.when(nameless).then("item_id").otherwise("title"),
        category=pl.when(nameless).then(pl.lit("")).otherwise("category"),
        brand=pl.lit(""),
    )
    data = split.Dataset(shop.events, bare, shop.users, shop.items, shop.split)
    own = task(tmp_path, data, texts="encoder", encoder=str(encoder))
    family.fit("content", own)
    model = family.load(own.out)
    assert model.of_item.shape == (own.n_codes, 8)
    assert np.flatnonzero(~model.known).tolist() == [0, 3]


def test_vectors_made_elsewhere_are_matched_by_id_and_put_side_by_side(tmp_path, shop):
    ids = shop.catalogue["item_id"].to_list()
    for name, dim in (("images", 3), ("sounds", 2)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "vectors.npy", RNG.normal(size=(len(ids) - 1, dim)).astype(np.float16))
        (tmp_path / name / "ids.json").write_text(json.dumps(ids[:0:-1]))
    own = task(tmp_path, shop, texts="none", vectors=(str(tmp_path / "images"), str(tmp_path / "sounds")))
    family.fit("content", own)
    model = family.load(own.out)
    assert model.of_item.shape == (own.n_codes, 5)
    assert not model.known[1]
    assert model.known[2:].all()


@pytest.mark.parametrize(
    ("ids", "values", "said"),
    [(["a"], np.ones((2, 2)), "names 1 items"), (["a", "b"], np.full((2, 2), np.nan), "4 values")],
)
def test_vectors_that_do_not_fit_are_refused(tmp_path, ids, values, said):
    np.save(tmp_path / "vectors.npy", values)
    (tmp_path / "ids.json").write_text(json.dumps(ids))
    with pytest.raises(BadData, match=said):
        read(tmp_path, ["a", "b"])


def test_a_folder_without_vectors_is_named(tmp_path):
    with pytest.raises(BadData, match="holds no vectors"):
        read(tmp_path, ["a"])


def test_a_catalogue_that_says_nothing_is_refused(tmp_path, shop):
    bare = shop.catalogue.with_columns(title="item_id", category=pl.lit(""), brand=pl.lit(""))
    data = split.Dataset(shop.events, bare, shop.users, shop.items, shop.split)
    with pytest.raises(BadData, match="No item has a vector"):
        family.fit("content", task(tmp_path, data))
