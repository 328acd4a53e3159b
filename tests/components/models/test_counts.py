import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import shop_datasets
from contracts import check_recommender
from frames import histories
from recloop.config import ItemToItemConfig, TrainerConfig
from recloop.errors import BadData
from recloop.models import family
from recloop.models.counts import fit_counts, following, hashed, recent, tie_breaker
from recloop.models.task import Task

N = 7
rows = st.lists(st.lists(st.integers(1, N - 1), max_size=8), max_size=4)


def table(lists):
    """Items of each row, one a day -> histories."""
    return histories(*([(item, len(row) - n) for n, item in enumerate(row)] for row in lists))


def model(lists, **settings):
    return fit_counts(table(lists), n_codes=N, config=ItemToItemConfig(**settings))


@given(rows, st.integers(1, 9))
def test_pairs_count_one_over_the_events_between(lists, window):
    expected = np.zeros((N, N))
    for row in lists:
        for n, first in enumerate(row):
            for gap, then in enumerate(row[n + 1 : n + 1 + window], start=1):
                expected[first, then] += 1 / gap
    assert following(table(lists), N, window=window).toarray() == pytest.approx(expected, abs=1e-5)


@given(rows, st.integers(1, 9))
def test_the_newest_events_weigh_most_and_older_ones_than_asked_nothing(lists, last):
    expected = np.zeros((len(lists), N))
    for n, row in enumerate(lists):
        for age, item in enumerate(row[::-1][:last]):
            expected[n, item] += 0.5**age
    assert recent(table(lists), N, last=last, decay=0.5).toarray() == pytest.approx(expected, abs=1e-6)


def test_scores_are_decayed_counts_of_what_followed_the_last_items():
    found = model([[1, 2, 3]], decay=0.5).scores(table([[2, 1]]))[0]
    assert found[2] == pytest.approx(1.0, abs=2e-3)  # follows 1, the newest
    assert found[3] == pytest.approx(0.5 + 0.5, abs=2e-3)  # two events after 1, and right after 2


def test_the_way_back_counts_by_its_weight():
    assert model([[1, 2]]).counts[2, 1] == 0
    both = model([[1, 2]], back=0.25).counts
    assert (both[1, 2], both[2, 1]) == (1.0, 0.25)


def test_a_gain_takes_the_logarithm_and_keeps_the_order():
    plain, gained = model([[1, 2, 3], [1, 2]]), model([[1, 2, 3], [1, 2]], gain=4.0)
    past = table([[1]])
    assert gained.scores(past)[0, 2] == pytest.approx(np.log1p(4 * 2), abs=2e-3)
    assert np.array_equal(np.argsort(plain.scores(past)), np.argsort(gained.scores(past)))


def test_what_is_counted_alike_is_ordered_by_popularity():
    found = model([[1, 2], [1, 3], [3], [3]]).recommend(table([[1]]), k=2)
    assert found.items.tolist() == [[3, 2]]


def test_what_is_as_popular_is_not_ordered_by_code():
    place = tie_breaker(table([]), 2000)
    assert len(np.unique(place)) == 2000
    assert abs(np.corrcoef(place, np.arange(2000))[0, 1]) < 0.1
    assert np.array_equal(np.argsort(place), np.argsort(hashed(np.arange(2000))))


def test_nobody_with_a_history_gets_the_most_popular():
    assert model([[1, 2], [2, 3], [2]]).recommend(table([[]]), k=1).items.tolist() == [[2]]


def test_it_meets_the_contract():
    past = table([[1, 2, 3, 4], [2, 5, 6], []])
    check_recommender(model([[1, 2, 3, 4], [2, 5, 6], []]), past, N)


def task(place, kind):
    out, work = place / "out", place / "work"
    out.mkdir()
    work.mkdir()
    data = shop_datasets.dataset(shop_datasets.canonical())
    config = shop_datasets.MODEL.model_copy(update={"kind": kind})
    return Task(data, cut=data.test, config=config, trainer=TrainerConfig(threads=1), seed=3, out=out, work=work)


@pytest.mark.parametrize("kind", ["item_to_item", "ease", "als"])
def test_a_fitted_folder_recommends_to_people_and_the_same_again(tmp_path, kind):
    job = task(tmp_path, kind)
    family.fit(kind, job)
    loaded = family.load(job.out)
    past = job.past.part(0, 6)
    check_recommender(loaded, past, job.n_codes)
    before = {p.name: p.read_bytes() for p in job.out.iterdir()}
    family.fit(kind, job)
    assert {p.name: p.read_bytes() for p in job.out.iterdir()} == before


def test_nothing_that_follows_anything_is_refused(tmp_path):
    job = task(tmp_path, "item_to_item")
    past = table([[1], [2]])
    assert not fit_counts(past, n_codes=N, config=ItemToItemConfig()).counts.nnz
    lonely = shop_datasets.dataset(shop_datasets.canonical().unique("user_id", keep="first", maintain_order=True))
    with pytest.raises(BadData, match="Nothing follows anything"):
        family.fit("item_to_item", Task(**(job.__dict__ | {"dataset": lonely, "cut": lonely.test})))
