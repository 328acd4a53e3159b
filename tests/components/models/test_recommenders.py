import numpy as np
import pytest

from contracts import check_recommender
from frames import histories
from recloop.config import CandidatesConfig
from recloop.data.habits import habits
from recloop.models.candidates import Fame, candidates
from recloop.models.frequency import Frequency
from recloop.models.item_knn import ItemKNN, fit_item_knn
from recloop.models.nearby import Nearby
from recloop.models.popularity import Popularity
from recloop.models.ranked import permitted

N = 12
PAST = histories([(1, 30), (2, 20), (1, 10), (5, 1)], [(2, 5), (3, 5), (4, 5)], [])
FAME = np.array([0, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1], dtype=np.float32)


def knn():
    return fit_item_knn(PAST, n_codes=N, neighbours=3, half_life=60.0)


BUILDERS = {
    "popularity": lambda: Popularity(FAME),
    "frequency": lambda: Frequency(FAME, half_life=None),
    "frequency decayed": lambda: Frequency(FAME, half_life=30.0),
    "item_knn": knn,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_it_meets_the_contract(name):
    check_recommender(BUILDERS[name](), PAST, N)


def test_frequency_counts_and_fills_up_by_popularity():
    found = Frequency(FAME, half_life=None).recommend(PAST, k=4)
    assert found.items[0].tolist() == [1, 2, 5, 3]
    assert found.items[2].tolist() == [1, 2, 3, 4]


def test_frequency_fills_up_by_popularity_and_not_by_code():
    found = Frequency(FAME[::-1].copy(), half_life=30.0).recommend(histories([(4, 1)]), k=3)
    assert found.items.tolist() == [[4, 10, 9]]


def test_popularity_without_what_was_seen_is_as_long_as_asked():
    found = Popularity(FAME).recommend(PAST, k=9, exclude_seen=True)
    assert found.items[0, :8].tolist() == [3, 4, 6, 7, 8, 9, 10, 11]
    assert Popularity(FAME).recommend(PAST, k=3, exclude_seen=True).items[:2].tolist() == [[3, 4, 6], [1, 5, 6]]


def test_decayed_frequency_prefers_what_is_recent():
    past = histories([(1, 300), (1, 299), (2, 1)])
    assert Frequency(FAME, half_life=None).recommend(past, k=1).items[0, 0] == 1
    assert Frequency(FAME, half_life=10.0).recommend(past, k=1).items[0, 0] == 2


def test_item_knn_is_the_shrunk_cosine_of_shared_visits():
    model = knn()
    at = model.neighbours[2].tolist()
    assert set(at[:2]) == {3, 4}
    assert model.similarity[2, 0] == pytest.approx(1 / np.sqrt((2 + 10) * (1 + 10)), rel=1e-5)
    assert 2 not in at


def test_item_knn_comes_back_from_its_file(tmp_path):
    model = knn()
    model.save(tmp_path / "knn.safetensors")
    again = ItemKNN.load(tmp_path / "knn.safetensors")
    assert np.array_equal(again.recommend(PAST, k=3).items, model.recommend(PAST, k=3).items)


def found(k=0, *, exclude_seen=False, mask=None, popularity=2, history=10, fame=FAME):
    return candidates(
        n=len(PAST),
        habit=habits(PAST, N),
        popularity=Fame.of(fame),
        item_knn=Nearby.of(knn(), PAST),
        sasrec=None,
        known=None,
        config=CandidatesConfig(history=history, popularity=popularity, item_knn=2, sasrec=2),
        exclude_seen=exclude_seen,
        mask=permitted(N, mask, None),
        k=k,
    )


def of_row(candidates_, row):
    return set(candidates_.items[candidates_.rows == row].tolist())


def test_candidates_are_the_union_with_an_origin_bit_a_source():
    made = found()
    origins = dict(zip(made.items[made.rows == 0].tolist(), made.origins[made.rows == 0].tolist(), strict=True))
    assert origins[1] == origins[5] == 0b001
    assert origins[3] & 0b110 == 0b110
    assert of_row(made, 2) == {1, 2}


def test_candidates_without_what_was_seen():
    assert not of_row(found(exclude_seen=True), 0) & {1, 2, 5}


def test_popularity_is_asked_below_a_narrow_mask():
    mask = np.zeros(N, dtype=bool)
    mask[[10, 11]] = True
    assert of_row(found(mask=mask, popularity=1), 2) == {10}


def test_popularity_proposes_at_least_k():
    assert len(of_row(found(k=6), 2)) == 6


def test_history_is_masked_before_it_is_capped():
    mask = np.zeros(N, dtype=bool)
    mask[2] = True
    assert 2 in of_row(found(mask=mask, history=1), 0)


def test_popularity_goes_below_what_a_user_has_seen():
    fame = np.arange(N, 0, -1).astype(np.float32)
    fame[0] = 0
    everything = histories([(item, 5) for item in range(1, 10)])
    made = candidates(
        n=1,
        habit=habits(everything, N),
        popularity=Fame.of(fame),
        item_knn=Nearby.of(knn(), histories([])),
        sasrec=None,
        known=None,
        config=CandidatesConfig(history=0, popularity=2, item_knn=1, sasrec=1),
        exclude_seen=True,
        mask=permitted(N, None, None),
        k=1,
    )
    assert of_row(made, 0) == {10, 11}


def test_what_did_not_sell_is_not_popular():
    fame = np.where(np.arange(N) < 4, FAME, 0).astype(np.float32)
    assert of_row(found(k=9, fame=fame), 2) == {1, 2, 3}
