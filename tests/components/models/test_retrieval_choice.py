import json
from types import SimpleNamespace

import numpy as np
import pytest

from frames import histories
from recloop.models import retrieval_choice
from recloop.models.approximate import FACTS, FILE
from recloop.models.retrieval_choice import choose

N, DIM = 1001, 8
PAST = histories(*[[(1 + n, 1)] for n in range(40)], [])


@pytest.fixture(scope="module")
def encoder():
    """States are vectors of items in ten tight groups."""
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((10, DIM))[np.arange(N) % 10] + 0.05 * rng.standard_normal((N, DIM))
    vectors = vectors.astype(np.float32)
    known = np.arange(N) > 0
    return SimpleNamespace(
        vectors=vectors,
        known=known,
        turned=vectors.T.copy(),
        encode=lambda past: vectors[past.items[past.offsets[:-1]]],
    )


@pytest.fixture
def trial(encoder, tmp_path, monkeypatch):
    """Function: milliseconds of the exact search and of any index -> the trial and what was written."""

    def make(exact_ms, index_ms, *, small=0):
        spent = iter([exact_ms] + [index_ms] * 9)
        timed = retrieval_choice._timed
        monkeypatch.setattr(retrieval_choice, "_timed", lambda *a: (timed(*a)[0], next(spent)))
        monkeypatch.setattr(retrieval_choice, "SMALL", small)
        monkeypatch.setattr(retrieval_choice.Encoder, "load", lambda _: encoder)
        made = choose(tmp_path, PAST, cap=20)
        return made, json.loads((tmp_path / FACTS).read_text()), (tmp_path / FILE).exists()

    return make


def test_a_faster_index_that_finds_what_the_exact_search_finds_is_chosen(trial):
    made, facts, saved = trial(10.0, 1.0)
    assert (facts["kind"], facts["items"], facts["queries"], saved) == ("ivf", N - 1, 40, True)
    assert facts["recall"] >= 0.99
    assert "index 1.000 ms" in str(made)


def test_an_index_that_is_hardly_faster_is_not_worth_its_memory(trial):
    made, facts, saved = trial(10.0, 9.0)
    assert (facts["kind"], facts["recall"], saved) == ("exact", 1.0, False)
    assert "exact 10.000 ms" in str(made)


def test_an_index_that_misses_too_many_is_not_chosen(trial, monkeypatch):
    monkeypatch.setattr(retrieval_choice, "RECALL", 1.01)
    assert trial(10.0, 0.1)[1]["kind"] == "exact"


def test_a_small_catalogue_is_not_tried(trial):
    made, facts, _ = trial(10.0, 0.1, small=N)
    assert facts["kind"] == "exact"
    assert "too few" in str(made)
