from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pytest

from frames import histories
from recloop.data.habits import habits
from recloop.models.approximate import FACTS, Index
from recloop.models.retrieval import Exact
from recloop.models.retrieval_choice import Choice

N, DIM = 2001, 8
PAST = histories([(1, 3), (5, 2)], [(9, 1)], [])


@pytest.fixture(scope="module")
def vectors():
    """Items in twenty tight groups."""
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((20, DIM))
    made = centres[np.arange(N) % 20] + 0.05 * rng.standard_normal((N, DIM))
    return made.astype(np.float32)


@pytest.fixture(scope="module")
def index(vectors):
    known = np.ones(N, dtype=bool)
    known[[0, 7]] = False
    return Index.built(vectors, known, probes=40)


@pytest.fixture
def states(vectors):
    return vectors[[5, 9, 30]]


def test_it_finds_the_nearest_that_the_exact_search_finds(index, vectors, states):
    exact = (states @ vectors.T)[:, 1:]
    found = index.search(states, 10)
    assert [len(set(a) & set(b)) for a, b in zip(found, np.argsort(-exact)[:, :10] + 1, strict=True)] == [10, 10, 10]


@pytest.mark.parametrize("share", [0.5, 0.02])
def test_only_what_is_allowed_and_unseen_and_known_is_proposed(index, states, share):
    allowed = np.random.default_rng(1).random(N) < share
    keys = index.logits(states).propose(15, seen=habits(PAST, N), allowed=allowed & index.known)
    row, item = np.divmod(keys, N)
    assert np.bincount(row).tolist() == [15, 15, 15]
    assert allowed[item].all()
    assert not {(0, 1), (0, 5), (1, 9)} & set(zip(row, item, strict=True))


def test_it_proposes_what_the_exact_search_does(index, vectors, states):
    allowed = index.known.copy()
    seen = habits(PAST, N)
    found = index.logits(states).propose(10, seen=seen, allowed=allowed)
    exact = Exact(states @ vectors.T).propose(10, seen=seen, allowed=allowed)
    assert sorted(found) == sorted(exact)


def test_a_pair_has_its_logit(index, vectors, states):
    rows, items = np.array([0, 2, 1]), np.array([7, 30, 11])
    found = index.logits(states).at(rows, items)
    assert found == pytest.approx((states @ vectors.T)[rows, items], rel=1e-5)


def test_it_comes_back_from_its_file(index, vectors, states, tmp_path):
    index.save(tmp_path)
    Choice("ivf", N, DIM, probes=40).save(tmp_path)
    again = Index.chosen(tmp_path, vectors, index.known)
    assert again.search(states, 5).tolist() == index.search(states, 5).tolist()


def test_the_same_vectors_make_the_same_bytes(index, vectors, tmp_path):
    index.save(tmp_path)
    first = (tmp_path / "retrieval.faiss").read_bytes()
    Index.built(vectors, index.known, probes=40).save(tmp_path)
    assert (tmp_path / "retrieval.faiss").read_bytes() == first


def test_the_exact_choice_and_no_choice_have_no_index(vectors, index, tmp_path):
    assert Index.chosen(tmp_path, vectors, index.known) is None
    Choice("exact", N, DIM).save(tmp_path)
    assert (tmp_path / FACTS).exists()
    assert Index.chosen(tmp_path, vectors, index.known) is None


def test_the_thread_that_searches_does_so_alone(index, states):
    def searched():
        faiss.omp_set_num_threads(2)
        index.search(states, 1)
        return faiss.omp_get_max_threads()

    with ThreadPoolExecutor(1) as model:
        assert model.submit(searched).result() == 1
